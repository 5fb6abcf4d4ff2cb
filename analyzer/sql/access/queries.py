"""Queries and writes, walked with a catalog: every table's mention with what is asked of it."""

from collections.abc import Mapping

from analyzer.model.access import StatementAccess, TableWrite
from analyzer.model.catalog import Catalog
from analyzer.sql import tree
from analyzer.sql.access.comparisons import read_conditions
from analyzer.sql.access.ordering import read_ordering
from analyzer.sql.access.scopes import COMPUTED, Column, Mention, Output, Relation, Scope
from analyzer.sql.access.sources import Sources
from analyzer.sql.tree import Node, ParseError

# What no index serves; its columns are needed all the same.
_READ_ONLY_CLAUSES = ("havingClause", "windowClause", "limitCount", "limitOffset", "valuesLists")
_WRITES = {"InsertStmt": "insert", "UpdateStmt": "update", "DeleteStmt": "delete"}


def statement_access(text: str, catalog: Catalog) -> StatementAccess | None:
    """What a statement asks of each of its tables; None for what is no single query or write.

    Args:
        text: one statement, parameters as `$n` or literals.
        catalog: its tables and views; of others nothing can be said.
    """
    try:
        statements = tree.parse(text)
        if len(statements) != 1:
            return None
        reader = _Reader(catalog)
        return reader.statement(statements[0])
    except (ParseError, RecursionError):
        return None


class _Reader:
    """Walks one statement. `_ctes` are the common table expressions that can be seen, by name."""

    def __init__(self, catalog: Catalog) -> None:
        self._mentions: list[Mention] = []
        self._writes: list[TableWrite] = []
        self._unresolved: dict[str, None] = {}
        self._ctes: dict[str, Output] = {}
        self._sources = Sources(catalog, self, self._mentions)

    def statement(self, node: Node) -> StatementAccess | None:
        """The whole statement."""
        kind, fields = tree.kind_of(node)
        if kind == "SelectStmt":
            self._mark(self.query(node, None))
        elif kind in _WRITES:
            self._write(kind, fields)
        elif kind == "MergeStmt":
            self._merge(fields)
        else:
            return None
        return StatementAccess(
            tuple(mention.finish() for mention in self._mentions),
            tuple(self._writes),
            tuple(self._unresolved),
        )

    # What the other modules of this package ask for.

    @property
    def ctes(self) -> Mapping[str, Output]:
        """Common table expressions in sight."""
        return self._ctes

    def unresolved(self, name: str) -> None:
        """Note a name that the catalog does not have."""
        self._unresolved[name] = None

    def visit(self, node: object, scope: Scope) -> None:
        """Note all columns and subqueries below a node."""
        waiting = [node]
        while waiting:
            current = waiting.pop()
            if isinstance(current, list):
                waiting.extend(reversed(current))
            elif isinstance(current, dict):
                for name, value in current.items():
                    if name == "ColumnRef":
                        self._reference(value, scope)
                    elif name == "SubLink":
                        self._sublink(value, scope)
                    elif isinstance(value, dict | list):
                        waiting.append(value)

    def query(self, node: Node, parent: Scope | None) -> Output:
        """Read a query; its columns are noted as needed by whoever uses them."""
        kind, fields = tree.kind_of(node)
        if kind in _WRITES:  # a WITH that writes
            return self._write(kind, fields)
        outer = self._ctes
        self._ctes = dict(outer)
        try:
            self._with(fields, parent)
            if fields.get("op", "SETOP_NONE") != "SETOP_NONE":
                return self._union(fields, parent)
            return self._select(fields, parent)
        finally:
            self._ctes = outer

    def view(self, node: Node) -> Output:
        """Read a view's query, which knows no WITH of the statement."""
        outer, self._ctes = self._ctes, {}
        try:
            return self.query(node, None)
        finally:
            self._ctes = outer

    def _with(self, fields: Node, parent: Scope | None) -> None:
        clause = fields.get("withClause", {})
        for item in clause.get("ctes", ()):
            cte = item["CommonTableExpr"]
            name, query = cte.get("ctename", ""), cte.get("ctequery", {})
            names = tree.strings(cte.get("aliascolnames"))
            if clause.get("recursive"):
                self._ctes[name] = self._of_first_arm(query, names)
            output = self.query(query, parent)
            self._ctes[name] = Relation(output=output, names=tuple(names)).columns()

    def _of_first_arm(self, query: Node, names: list[str]) -> Output:
        """The columns that a recursive query gives itself: their names are its first arm's."""
        arm = query.get("SelectStmt", {})
        while "larg" in arm:
            arm = arm["larg"]
        given = [_target_name(target["ResTarget"]) for target in arm.get("targetList", ())]
        return dict.fromkeys([*names, *given[len(names) :]], COMPUTED)

    def _union(self, fields: Node, parent: Scope | None) -> Output:
        output: Output = {}
        for side in ("larg", "rarg"):
            columns = self.query({"SelectStmt": fields[side]}, parent)
            self._mark(columns)
            output = output or columns
        return dict.fromkeys(output, COMPUTED)

    def _select(self, fields: Node, parent: Scope | None) -> Output:
        scope = Scope(parent)
        conditions: list[Node] = []
        for item in fields.get("fromClause", ()):
            self._sources.read(item, scope, conditions)
        for condition in [*conditions, fields.get("whereClause")]:
            read_conditions(condition, scope, self)
        output = self._targets(fields.get("targetList", []), scope)
        for name in _READ_ONLY_CLAUSES:
            self.visit(fields.get(name), scope)
        read_ordering(fields, scope, output, self)
        return output

    def _targets(self, targets: list[Node], scope: Scope) -> dict[str, Column | None]:
        """The columns of a SELECT; of computed ones what they are made of is needed."""
        output: dict[str, Column | None] = {}
        for target in targets:
            value = target.get("ResTarget", {}).get("val", {})
            names = tree.strings(value.get("ColumnRef", {}).get("fields"))
            if names and names[-1] == "*":
                alias = names[-2] if len(names) > 1 else None
                output |= dict(scope.star(alias))
                continue
            name = _target_name(target.get("ResTarget", {}))
            found = scope.resolve(names) if names else None
            if found is not None and found.column is not None:
                output[name] = found.column
            else:
                self.visit(value, scope)
                output[name] = COMPUTED
        return output

    def _reference(self, fields: Node, scope: Scope) -> None:
        names = tree.strings(fields.get("fields"))
        if not names:
            return
        if names[-1] == "*":
            self._mark(dict(scope.star(names[-2] if len(names) > 1 else None)))
            return
        found = scope.resolve(names)
        if found.row is not None:
            self._mark(dict(scope.star(found.row)))
        elif found.column is not None:
            found.column.mention.needed.add(found.column.name)
        elif not found.known:
            self.unresolved(".".join(names))

    def _sublink(self, fields: Node, scope: Scope) -> None:
        self.visit(fields.get("testexpr"), scope)
        output = self.query(fields["subselect"], scope)
        if fields.get("subLinkType") != "EXISTS_SUBLINK":
            self._mark(output)

    def _mark(self, output: Output) -> None:
        for column in output.values():
            if column is not None:
                column.mention.needed.add(column.name)

    def _write(self, kind: str, fields: Node) -> Output:
        outer = self._ctes
        self._ctes = dict(outer)
        self._with(fields, None)
        scope = Scope()
        name = self._sources.target(fields["relation"], scope, found_by=kind != "InsertStmt")
        conditions: list[Node] = []
        for item in [*fields.get("fromClause", ()), *fields.get("usingClause", ())]:
            self._sources.read(item, scope, conditions)
        for condition in [*conditions, fields.get("whereClause")]:
            read_conditions(condition, scope, self)
        if "selectStmt" in fields:
            self._mark(self.query(fields["selectStmt"], None))
        targets = fields.get("targetList", [])
        columns = _written(targets if kind == "UpdateStmt" else fields.get("cols", []), scope)
        self._writes.append(TableWrite(name, _WRITES[kind], columns))
        self.visit([one.get("ResTarget", {}).get("val") for one in targets], scope)
        conflict = fields.get("onConflictClause", {}).get("targetList", [])
        if conflict:
            self._writes.append(TableWrite(name, "update", _written(conflict, scope)))
        output = self._targets(fields.get("returningClause", {}).get("exprs", []), scope)
        self._mark(output)
        self._ctes = outer
        return output

    def _merge(self, fields: Node) -> None:
        self._with(fields, None)
        scope = Scope()
        name = self._sources.target(fields["relation"], scope, found_by=True)
        conditions: list[Node] = []
        self._sources.read(fields["sourceRelation"], scope, conditions)
        for condition in [*conditions, fields.get("joinCondition")]:
            read_conditions(condition, scope, self)
        for clause in fields.get("mergeWhenClauses", ()):
            when = clause["MergeWhenClause"]
            kind = when.get("commandType", "").removeprefix("CMD_").lower()
            targets = when.get("targetList", [])
            if kind in ("insert", "update", "delete"):
                columns = _written(targets, scope) if kind != "delete" else ()
                self._writes.append(TableWrite(name, kind, columns))
            values = [one.get("ResTarget", {}).get("val") for one in targets]
            self.visit([when.get("condition"), values, when.get("values")], scope)


def _written(targets: list[Node], scope: Scope) -> tuple[str, ...]:
    """Column names of SET or of INSERT's list; a view's are those of its table."""
    written = next(iter(scope.used.values()), {})
    names = (one.get("ResTarget", {}).get("name", "") for one in targets)
    stored = (getattr(written.get(name), "name", name) for name in names if name)
    return tuple(dict.fromkeys(stored))


def _target_name(target: Node) -> str:
    """What PostgreSQL calls a column of a target list, as far as other queries can name it."""
    if target.get("name"):
        return str(target["name"])
    value, _ = tree.without_casts(target.get("val", {}))
    names = tree.strings(value.get("ColumnRef", {}).get("fields"))
    if not names:
        names = tree.strings(value.get("FuncCall", {}).get("funcname"))
    return names[-1] if names else "?column?"
