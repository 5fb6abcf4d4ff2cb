"""Which tables are parts of a partitioned one, at any depth."""

from collections import defaultdict

from analyzer.model.catalog import Catalog


class Partitions:
    """The partitions of each table of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._parts: defaultdict[str, list[str]] = defaultdict(list)
        for table in catalog:
            if table.partition_of is not None:
                self._parts[table.partition_of].append(table.name)

    def below(self, name: str) -> list[str]:
        """The names of all tables below one, those that are partitioned themselves, too."""
        names = [name]
        for parent in names:  # grows while it is walked
            names += self._parts.get(parent, ())
        return names[1:]
