"""Names in a query: what FROM brings in, and which table's column a reference is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from analyzer.model.access import Compared, SortedColumn, TableAccess
from analyzer.model.catalog import Table
from analyzer.records import changing, record


@dataclass(slots=True, eq=False)
class Mention:
    """One mention of a table while the statement is read; `finish` makes the TableAccess of it."""

    table: Table
    target: bool = False
    compared: list[Compared] = field(default_factory=list)
    sorted_by: list[SortedColumn] = field(default_factory=list)
    limited: bool = False
    grouped_by: list[str] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)

    def finish(self) -> TableAccess:
        """What is known of it, without repeats."""
        return TableAccess(
            table=self.table.name,
            compared=tuple(dict.fromkeys(self.compared)),
            sorted_by=tuple(dict.fromkeys(self.sorted_by)),
            limited=self.limited,
            grouped_by=tuple(dict.fromkeys(self.grouped_by)),
            needed=tuple(one.name for one in self.table.columns if one.name in self.needed),
            target=self.target,
        )


@record
class Column:
    """A reference that is a table's column, through however many subqueries and views."""

    mention: Mention
    name: str

    @property
    def type(self) -> str | None:
        """As the catalog prints it."""
        known = self.mention.table.column(self.name)
        return known.type if known is not None else None


Output = Mapping[str, Column | None]  # a query's columns by name; None is computed
COMPUTED: Column | None = None


@changing
class Relation:
    """What an alias stands for: a table's mention, or a query with its columns.

    Both None is something that is not known (a function, a table that the catalog lacks).
    """

    mention: Mention | None = None
    output: Output | None = None
    names: tuple[str, ...] = ()  # of t (a, b): new names for the first columns

    def columns(self) -> dict[str, Column | None]:
        """Columns by name, in order."""
        if self.mention is not None:
            own: dict[str, Column | None] = {
                one.name: Column(self.mention, one.name) for one in self.mention.table.columns
            }
        else:
            own = dict(self.output or {})
        if not self.names:
            return own
        renamed = [*self.names, *list(own)[len(self.names) :]]
        values = [*own.values(), *[COMPUTED] * (len(renamed) - len(own))]
        return dict(zip(renamed, values, strict=False))

    @property
    def known(self) -> bool:
        """Whether its columns are."""
        return self.mention is not None or self.output is not None


@changing
class Scope:
    """The relations of one FROM by alias, and the scope around it (correlated subqueries)."""

    parent: "Scope | None" = None
    relations: dict[str, Relation] = field(default_factory=dict)
    merged: set[str] = field(default_factory=set)  # columns of USING and NATURAL, found once
    used: dict[str, dict[str, Column | None]] = field(default_factory=dict)

    def add(self, alias: str, relation: Relation) -> None:
        """Bring in a relation."""
        self.relations[alias] = relation
        self.used[alias] = relation.columns()

    def resolve(self, names: list[str]) -> "Resolved":
        """What a reference (its parts, the last is the column) means here or further out."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.qualified(names) if len(names) > 1 else scope.bare(names[-1])
            if found is not None:
                return found
            scope = scope.parent
        return Resolved(known=False)

    def qualified(self, names: list[str]) -> "Resolved | None":
        """A reference with its alias in front, in this scope alone."""
        alias = names[-2]
        relation = self.relations.get(alias)
        if relation is None:
            return None
        if not relation.known:
            return Resolved(known=True)
        if names[-1] in self.used[alias]:
            return Resolved(self.used[alias][names[-1]], known=True)
        return Resolved(known=names[-1] in _SYSTEM)

    def bare(self, name: str) -> "Resolved | None":
        """A column's name alone, in this scope alone."""
        found = [columns[name] for columns in self.used.values() if name in columns]
        if found and (len(found) == 1 or name in self.merged):
            return Resolved(found[0], known=True)
        if found:
            return Resolved(known=False)  # ambiguous: PostgreSQL would refuse it
        if name in self.relations:  # a whole row
            return Resolved(known=True, row=name)
        if any(not relation.known for relation in self.relations.values()):
            return Resolved(known=True)
        return None

    def star(self, alias: str | None) -> Iterable[tuple[str, Column | None]]:
        """The columns that `*` or `alias.*` gives, in order."""
        chosen = self.used if alias is None else {alias: self.used.get(alias, {})}
        seen: set[str] = set()
        for columns in chosen.values():
            for name, column in columns.items():
                if name in self.merged and name in seen:
                    continue
                seen.add(name)
                yield name, column


@record
class Resolved:
    """A reference: `column` None with `known` is computed, a system column or a function's.

    `row` is the alias whose whole row is meant.
    """

    column: Column | None = None
    known: bool = True
    row: str | None = None


_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
