"""What a statement's text tells: tables, conditions, limits. No server is needed."""

from dataclasses import dataclass, field, replace

from analyzer.model.statement import Join, Kind, Predicate, Role, StatementFacts
from analyzer.sql import tree
from analyzer.sql.positions import ParameterCoder
from analyzer.sql.predicates import Scope, read_conditions
from analyzer.sql.tree import Node

UNKNOWN = StatementFacts(kind=Kind.UNKNOWN, role=Role.WORKLOAD)

_KINDS = {
    "SelectStmt": Kind.SELECT,
    "InsertStmt": Kind.INSERT,
    "UpdateStmt": Kind.UPDATE,
    "DeleteStmt": Kind.DELETE,
    "MergeStmt": Kind.MERGE,
    "TransactionStmt": Kind.TRANSACTION,
}
_SESSION_STATEMENTS = frozenset(
    {
        "VariableSetStmt",
        "VariableShowStmt",
        "DiscardStmt",
        "DeallocateStmt",
        "ClosePortalStmt",
        "ListenStmt",
        "UnlistenStmt",
    }
)
_SESSION_FUNCTIONS = frozenset(
    {
        "set_config",
        "current_setting",
        "version",
        "current_schema",
        "current_schemas",
        "current_database",
        "pg_backend_pid",
        "pg_is_in_recovery",
    }
)
_SESSION_PREFIXES = ("pg_stat", "pg_is_", "pg_last_", "pg_current_")
_CATALOG_SCHEMAS = ("pg_catalog.", "information_schema.")
_AGGREGATES = frozenset({"count", "sum", "avg", "min", "max", "bool_or", "bool_and", "every"})
_BOUNDARIES = {
    "TRANS_STMT_BEGIN": 1,
    "TRANS_STMT_START": 1,
    "TRANS_STMT_COMMIT": -1,
    "TRANS_STMT_ROLLBACK": -1,
    "TRANS_STMT_PREPARE": -1,
}
OWN_MARK = "/* pg95 */"  # every statement that pg95 sends carries it


@dataclass(slots=True)
class _Found:
    """Facts being collected from one SELECT and what it contains."""

    tables: list[str] = field(default_factory=list)
    ctes: set[str] = field(default_factory=set)

    def add(self, name: str) -> None:
        if name not in self.tables and name not in self.ctes:
            self.tables.append(name)


def read_facts(nodes: list[Node], text: str) -> StatementFacts:
    """Facts of a parsed text; for several statements in one text, those of the first that works on tables."""
    if not nodes:
        return UNKNOWN
    coder = ParameterCoder(text)
    every = [_facts_of(node, coder) for node in nodes]
    chosen = next((facts for facts in every if facts.tables), every[0])
    if OWN_MARK in text:
        return replace(chosen, role=Role.OWN)
    return chosen


def _facts_of(node: Node, coder: ParameterCoder) -> StatementFacts:
    kind, fields = tree.kind_of(node)
    if kind == "DeclareCursorStmt":
        return replace(_facts_of(fields["query"], coder), cursor=True)
    if kind == "SelectStmt":
        return _select(fields, coder)
    if kind in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
        return _write(_KINDS[kind], fields, coder)
    if kind == "TransactionStmt":
        boundary = _BOUNDARIES.get(fields.get("kind", ""), 0)
        return StatementFacts(Kind.TRANSACTION, Role.TRANSACTION, boundary=boundary)
    role = Role.SESSION if kind in _SESSION_STATEMENTS else Role.WORKLOAD
    return StatementFacts(Kind.UTILITY, role, tables=tuple(_all_tables(node)))


def _all_tables(node: object) -> list[str]:
    """All tables of a tree in order, CTE names left out."""
    found = _Found()
    for kind, fields in tree.walk(node):
        if kind == "CommonTableExpr":
            found.ctes.add(fields.get("ctename", ""))
    for kind, fields in tree.walk(node):
        if kind in ("RangeVar", "relation") and fields.get("relname"):
            found.add(tree.table_name(fields))
        elif kind in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
            found.add(tree.table_name(fields.get("relation", {})))
    return found.tables


def _select(fields: Node, coder: ParameterCoder) -> StatementFacts:
    tables = tuple(_all_tables({"SelectStmt": fields}))
    if fields.get("op", "SETOP_NONE") != "SETOP_NONE":
        return StatementFacts(Kind.SELECT, _role(fields, tables), tables=tables)
    inner = _only_subquery(fields)
    if inner is not None:
        return _wrapped(inner, fields, tables, coder)
    ctes = {
        fields["ctename"]
        for kind, fields in tree.walk(fields.get("withClause", {}))
        if kind == "CommonTableExpr"
    }
    scope = Scope.of_from_clause(fields.get("fromClause", []), ctes)
    predicates, joins, disjunctive = read_conditions(
        [fields.get("whereClause"), *scope.conditions], scope, coder
    )
    columns, star = _target_columns(fields.get("targetList", []), scope)
    limit, limit_parameter = _bound(fields.get("limitCount"), coder)
    offset, offset_parameter = _bound(fields.get("limitOffset"), coder)
    return StatementFacts(
        kind=Kind.SELECT,
        role=_role(fields, tables),
        tables=tables,
        main_table=scope.main_table,
        predicates=tuple(predicates),
        joins=tuple(joins),
        columns=columns,
        star=star,
        limit=limit,
        limit_parameter=limit_parameter,
        offset=offset,
        offset_parameter=offset_parameter,
        order_by=_sorted_columns(fields.get("sortClause", []), scope),
        one_row=_returns_one_row(fields),
        grouped="groupClause" in fields or "distinctClause" in fields,
        disjunctive=disjunctive,
        locks_rows="lockingClause" in fields,
    )


def _only_subquery(fields: Node) -> Node | None:
    """The SELECT inside `SELECT … FROM (SELECT …) x` or `SELECT EXISTS (SELECT …)`, if that is all."""
    sources = fields.get("fromClause", [])
    if len(sources) == 1 and "RangeSubselect" in sources[0] and "whereClause" not in fields:
        found = sources[0]["RangeSubselect"].get("subquery", {}).get("SelectStmt")
    elif not sources and len(fields.get("targetList", [])) == 1:
        value = fields["targetList"][0].get("ResTarget", {}).get("val", {})
        found = value.get("SubLink", {}).get("subselect", {}).get("SelectStmt")
    else:
        return None
    plain = found and found.get("op", "SETOP_NONE") == "SETOP_NONE" and "withClause" not in found
    return found if plain else None


def _wrapped(
    inner: Node, outer: Node, tables: tuple[str, ...], coder: ParameterCoder
) -> StatementFacts:
    """Facts of a subquery with what its wrapper adds: rows are those of the wrapper."""
    facts = _select(inner, coder)
    one_row = "fromClause" not in outer or _returns_one_row(outer)
    facts = replace(facts, tables=tables, one_row=one_row)
    limit, limit_parameter = _bound(outer.get("limitCount"), coder)
    if limit is None:
        return facts
    return replace(facts, limit=limit, limit_parameter=limit_parameter)


def _write(kind: Kind, fields: Node, coder: ParameterCoder) -> StatementFacts:
    target = tree.table_name(fields.get("relation", {}))
    tables = tuple(dict.fromkeys([target, *_all_tables(fields)]))
    others = fields.get("fromClause") or fields.get("usingClause") or []
    scope = Scope.of_from_clause([{"RangeVar": fields.get("relation", {})}, *others], set())
    predicates: list[Predicate] = []
    joins: list[Join] = []
    disjunctive = False
    if kind in (Kind.UPDATE, Kind.DELETE):
        predicates, joins, disjunctive = read_conditions([fields.get("whereClause")], scope, coder)
    names = fields.get("cols") if kind is Kind.INSERT else fields.get("targetList")
    written = [
        target["ResTarget"].get("name", "") for target in names or [] if "ResTarget" in target
    ]
    rows = len(fields.get("selectStmt", {}).get("SelectStmt", {}).get("valuesLists", ()))
    return StatementFacts(
        kind=kind,
        role=_role(fields, tables),
        tables=tables,
        main_table=target,
        predicates=tuple(predicates),
        joins=tuple(joins),
        disjunctive=disjunctive,
        rows_written=rows,
        written_columns=tuple(written),
    )


def _role(fields: Node, tables: tuple[str, ...]) -> Role:
    if tables:
        catalog = all(
            name.startswith(_CATALOG_SCHEMAS) or ("." not in name and name.startswith("pg_"))
            for name in tables
        )
        return Role.CATALOG if catalog else Role.WORKLOAD
    functions = {
        tree.strings(call.get("funcname"))[-1]
        for kind, call in tree.walk(fields)
        if kind == "FuncCall" and call.get("funcname")
    }
    if not functions:
        return Role.HEALTH_CHECK
    about_server = all(
        name in _SESSION_FUNCTIONS or name.startswith(_SESSION_PREFIXES) for name in functions
    )
    return Role.SESSION if about_server else Role.WORKLOAD


def _target_columns(
    targets: list[Node], scope: Scope
) -> tuple[tuple[tuple[str | None, str], ...], bool]:
    columns: list[tuple[str | None, str]] = []
    star = False
    for target in targets:
        value = target.get("ResTarget", {}).get("val", {})
        inner, _ = tree.without_casts(value) if value else ({}, [])
        if "ColumnRef" not in inner:
            continue
        names = tree.strings(inner["ColumnRef"].get("fields"))
        if names and names[-1] == "*":
            star = True
        else:
            columns.append(scope.resolve(names))
    return tuple(columns), star


def _bound(node: Node | None, coder: ParameterCoder) -> tuple[int | None, int]:
    """A LIMIT or OFFSET: (number, or -1 for a parameter or expression; its parameter code)."""
    if not node:
        return None, 0
    inner, _ = tree.without_casts(node)
    if "A_Const" in inner:
        if inner["A_Const"].get("isnull"):
            return None, 0  # LIMIT ALL
        number = inner["A_Const"].get("ival", {}).get("ival", 0)
        return int(number), coder.code(inner)
    return -1, coder.code(inner)


def _sorted_columns(sort: list[Node], scope: Scope) -> tuple[tuple[str | None, str], ...]:
    found = []
    for item in sort:
        inner = item.get("SortBy", {}).get("node", {})
        if "ColumnRef" in inner:
            found.append(scope.resolve(tree.strings(inner["ColumnRef"].get("fields"))))
    return tuple(found)


def _returns_one_row(fields: Node) -> bool:
    """An aggregate without GROUP BY, or nothing but an EXISTS: one row whatever the tables hold."""
    if "groupClause" in fields:
        return False
    for target in fields.get("targetList", []):
        value = target.get("ResTarget", {}).get("val", {})
        for kind, inner in tree.walk(value):
            if (
                kind == "SubLink"
                and inner.get("subLinkType") == "EXISTS_SUBLINK"
                and "fromClause" not in fields
            ):
                return True
            if kind == "FuncCall" and "over" not in inner:
                name = tree.strings(inner.get("funcname"))[-1]
                if name in _AGGREGATES or name.endswith("_agg") or inner.get("agg_star"):
                    return True
    return False
