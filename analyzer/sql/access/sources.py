"""FROM: tables, views, subqueries and joins brought into a scope."""

from collections.abc import Mapping
from typing import Protocol

from analyzer.model.access import Compared, Use
from analyzer.model.catalog import Catalog
from analyzer.sql import tree
from analyzer.sql.access.scopes import Column, Mention, Output, Relation, Scope
from analyzer.sql.tree import Node, ParseError

_DEEPEST = 16  # views of views


class Queries(Protocol):
    """The reader of queries, as far as FROM needs it."""

    @property
    def ctes(self) -> Mapping[str, Output]:
        """Common table expressions in sight."""

    def unresolved(self, name: str) -> None:
        """Note a name that the catalog does not have."""

    def visit(self, node: object, scope: Scope) -> None:
        """Note all columns and subqueries below a node."""

    def query(self, node: Node, parent: Scope | None) -> Output:
        """Read a subquery."""

    def view(self, node: Node) -> Output:
        """Read a view's query, which knows no WITH of the statement."""


class Sources:
    """Reads the items of FROM; every table's mention is added to `mentions`."""

    def __init__(self, catalog: Catalog, queries: Queries, mentions: list[Mention]) -> None:
        self._catalog = catalog
        self._queries = queries
        self._mentions = mentions
        self._depth = 0

    def read(self, item: Node, scope: Scope, conditions: list[Node]) -> None:
        """Bring an item into the scope; conditions of its joins are left to be read afterwards."""
        kind, fields = tree.kind_of(item)
        if kind == "JoinExpr":
            self._join(fields, scope, conditions)
            return
        alias = fields.get("alias", {})
        names = tuple(tree.strings(alias.get("colnames")))
        name = alias.get("aliasname") or fields.get("relname") or f"?{len(scope.relations)}"
        if kind == "RangeVar":
            relation = self._named(fields, names)
        elif kind == "RangeSubselect":
            parent = scope if fields.get("lateral") else scope.parent
            relation = Relation(output=self._queries.query(fields["subquery"], parent), names=names)
        else:  # a function, TABLESAMPLE, XMLTABLE, JSON_TABLE …
            self._queries.visit(fields, scope)
            sampled = fields.get("relation", {}).get("RangeVar")
            relation = self._named(sampled, names) if sampled else Relation(names=names)
        scope.add(name, relation)

    def target(self, range_var: Node, scope: Scope, *, found_by: bool) -> str:
        """Bring in the table that is written to; its name. `found_by`: its rows have to be found."""
        name = tree.table_name(range_var)
        alias = range_var.get("alias", {}).get("aliasname") or range_var.get("relname", "")
        table = self._catalog.table(name)
        if table is None:
            return self._view_target(name, alias, scope, found_by=found_by)
        mention = Mention(table, target=True)
        if found_by:
            self._mentions.append(mention)
        scope.add(alias, Relation(mention))
        if not found_by:
            scope.add("excluded", Relation(mention))
        return table.name

    def _view_target(self, name: str, alias: str, scope: Scope, *, found_by: bool) -> str:
        """Bring in the view that is written to: what is written is the one table that it is made of."""
        view, before = self._catalog.view(name), len(self._mentions)
        output = self._view(view) if view else None
        if not found_by:
            del self._mentions[before:]
        columns = [column for column in (output or {}).values() if column is not None]
        tables = {id(column.mention): column.mention for column in columns}
        scope.add(alias, Relation(output=output))
        if len(tables) != 1:
            self._queries.unresolved(name)
            return name
        (mention,) = tables.values()
        mention.target = True
        return mention.table.name

    def _named(self, range_var: Node, names: tuple[str, ...]) -> Relation:
        """A common table expression, a table or a view."""
        name = tree.table_name(range_var)
        if "schemaname" not in range_var and name in self._queries.ctes:
            return Relation(output=self._queries.ctes[name], names=names)
        table = self._catalog.table(name)
        if table is not None:
            mention = Mention(table)
            self._mentions.append(mention)
            return Relation(mention, names=names)
        view = self._catalog.view(name)
        output = self._view(view) if view else None
        if output is None:
            self._queries.unresolved(name)
        return Relation(output=output, names=names)

    def _view(self, definition: str) -> Output | None:
        """A view's query, read as if it stood in the statement."""
        if self._depth >= _DEEPEST:
            return None
        self._depth += 1
        try:
            statements = tree.parse(definition)
            return self._queries.view(statements[0]) if len(statements) == 1 else None
        except ParseError:
            return None
        finally:
            self._depth -= 1

    def _join(self, fields: Node, scope: Scope, conditions: list[Node]) -> None:
        before = set(scope.relations)
        self.read(fields["larg"], scope, conditions)
        left = [name for name in scope.relations if name not in before]
        self.read(fields["rarg"], scope, conditions)
        right = [name for name in scope.relations if name not in before and name not in left]
        if fields.get("quals"):
            conditions.append(fields["quals"])
        shared = tree.strings(fields.get("usingClause"))
        if fields.get("isNatural"):
            shared = sorted(_names(scope, left) & _names(scope, right))
        for name in shared:
            scope.merged.add(name)
            _equate(_column_of(scope, left, name), _column_of(scope, right, name))


def _names(scope: Scope, aliases: list[str]) -> set[str]:
    return {name for alias in aliases for name in scope.used[alias]}


def _column_of(scope: Scope, aliases: list[str], name: str) -> Column | None:
    found = (scope.used[alias][name] for alias in aliases if name in scope.used[alias])
    return next(found, None)


def _equate(left: Column | None, right: Column | None) -> None:
    """Note the comparison that USING makes."""
    for column in (left, right):
        if column is not None:
            column.mention.needed.add(column.name)
            column.mention.compared.append(
                Compared(
                    column.name, Use.EQUALITY, "=", joined=left is not None and right is not None
                )
            )
