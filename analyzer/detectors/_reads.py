"""What a statement reads, as far as it tells which lookups its rows can drive.

Worked out once for each statement: hundreds of lookups are compared with it.
"""

from analyzer.detectors import _names
from analyzer.model.statement import StatementFacts
from analyzer.records import record

Named = tuple[str, str]  # a table and a column of it


@record
class Reads:
    """Tables and selected columns of a statement.

    `main` is its main table, `star` says that `*` is selected. Of the columns, in the order of the target list:
    `references` are named like keys of other tables (`referring` are their names), `kinds` those of them that refer to rows of any table, `keys` are
    the names of the main table's that are named like its own key. `plain` has all that are named like no key of
    their own table by the words of their names, with their places.
    """

    tables: tuple[str, ...]
    main: str | None
    star: bool
    own: tuple[str, ...]
    keys: tuple[str, ...]
    references: tuple[Named, ...]
    referring: frozenset[str]
    kinds: tuple[Named, ...]
    plain: dict[tuple[str, ...], list[tuple[int, Named]]]

    @classmethod
    def of(cls, facts: StatementFacts) -> "Reads":
        """What a statement reads."""
        main = facts.main_table
        columns = [(table or main or "", name) for table, name in facts.columns]
        names: dict[str, set[str]] = {}
        plain: dict[tuple[str, ...], list[tuple[int, Named]]] = {}
        for place, (table, name) in enumerate(columns):
            names.setdefault(table, set()).add(name)
            if not _names.is_key(name):
                plain.setdefault(_names.words(name), []).append((place, (table, name)))
        references = tuple(one for one in columns if _names.reference(one[1]))
        own = tuple(name for table, name in facts.columns if table == main is not None)
        return cls(
            tables=facts.tables,
            main=main,
            star=facts.star,
            own=own,
            keys=tuple(filter(_names.is_key, own)),
            references=references,
            referring=frozenset(name for _, name in references),
            kinds=tuple(
                (table, name)
                for table, name in references
                if _names.names_kind_beside(name, names[table])
            ),
            plain=plain,
        )

    def named_both(self, column: str) -> list[Named]:
        """The columns of which a name has that of their table and theirs: country_code of countries.code."""
        found = _names.words(column)
        if len(found) == 1:  # it has none of a table
            return []
        near = [one for size in range(1, len(found)) for one in self.plain.get(found[-size:], ())]
        return [
            (table, name)
            for _, (table, name) in sorted(near)
            if _names.names_both(column, table, name)
        ]
