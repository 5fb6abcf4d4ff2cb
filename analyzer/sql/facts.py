"""What a statement's text tells: tables, conditions, limits. No server is needed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from analyzer.model.statement import (
    Effect,
    Exclusion,
    Join,
    Kind,
    Obstacle,
    Predicate,
    Role,
    StatementFacts,
)
from analyzer.sql import tree
from analyzer.sql.obstacles import read_obstacles
from analyzer.sql.positions import ParameterCoder
from analyzer.sql.predicates import Scope, read_conditions
from analyzer.sql.survey import Survey, survey
from analyzer.sql.tokens import Token
from analyzer.sql.tree import Node
from analyzer.sql.value_lists import value_lists

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
        "pg_advisory_unlock_all",  # how drivers give a connection back to its pool
        "pg_backend_pid",
        "pg_is_in_recovery",
    }
)
_SESSION_PREFIXES = ("pg_stat", "pg_is_", "pg_last_", "pg_current_")
_CATALOG_SCHEMAS = ("pg_catalog.", "information_schema.")
_AGGREGATES = frozenset({"count", "sum", "avg", "min", "max", "bool_or", "bool_and", "every"})
_ONE_ROW_MAKERS = frozenset({"FuncCall", "SubLink"})
_BOUNDARIES = {
    "TRANS_STMT_BEGIN": 1,
    "TRANS_STMT_START": 1,
    "TRANS_STMT_COMMIT": -1,
    "TRANS_STMT_ROLLBACK": -1,
    "TRANS_STMT_PREPARE": -1,
}
_ROLLBACKS = frozenset({"TRANS_STMT_ROLLBACK", "TRANS_STMT_ROLLBACK_TO"})
_DEFINING_PREFIXES = ("Alter", "Create", "Drop")  # AlterTableStmt, CreateTrigStmt, DropStmt …
_DEFINING = frozenset(
    {
        "ClusterStmt",
        "CommentStmt",
        "CompositeTypeStmt",
        "DefineStmt",
        "GrantStmt",
        "ImportForeignSchemaStmt",
        "IndexStmt",
        "ReassignOwnedStmt",
        "RefreshMatViewStmt",
        "ReindexStmt",
        "RenameStmt",
        "RuleStmt",
        "SecLabelStmt",
        "TruncateStmt",
        "ViewStmt",
    }
)
_ACCESS_SHARE = 1  # the mode of LOCK that is in nobody's way but a change of the table's
OWN_MARK = "/* pg95 */"  # every statement that pg95 sends carries it


def read_facts(
    nodes: Sequence[Node],
    text: str,
    surveys: Sequence[Survey] | None = None,
    literals: Sequence[Token] | None = None,
) -> StatementFacts:
    """Facts of a parsed text; for several statements in one text, those of the first that works on tables.

    `surveys` are those of the nodes and `literals` the text's tokens, where they are at hand.
    """
    if not nodes:
        return UNKNOWN
    coder = ParameterCoder(text, literals)
    surveys = surveys or [survey(node) for node in nodes]
    every = [_facts_of(node, met, coder) for node, met in zip(nodes, surveys, strict=True)]
    chosen = next((facts for facts in every if facts.tables), every[0])
    if OWN_MARK in text:
        return replace(chosen, role=Role.OWN)
    return chosen


def _facts_of(node: Node, met: Survey, coder: ParameterCoder) -> StatementFacts:
    kind, fields = tree.kind_of(node)
    if kind == "DeclareCursorStmt":
        return replace(_facts_of(fields["query"], met, coder), cursor=True)
    if kind == "SelectStmt":
        return _select(fields, met, coder)
    if kind in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
        return _write(_KINDS[kind], fields, met, coder)
    if kind == "TransactionStmt":
        does = fields.get("kind", "")
        return StatementFacts(
            Kind.TRANSACTION,
            Role.TRANSACTION,
            boundary=_BOUNDARIES.get(does, 0),
            effect=Effect.ROLLS_BACK if does in _ROLLBACKS else Effect.NONE,
        )
    role = Role.SESSION if kind in _SESSION_STATEMENTS else Role.WORKLOAD
    loads = kind == "CopyStmt" and "is_from" in fields
    return StatementFacts(
        Kind.UTILITY,
        role,
        tables=tuple(met.tables),
        main_table=tree.table_name(fields["relation"]) if loads else None,
        effect=_effect(kind, fields, met, coder),
    )


def _effect(kind: str, fields: Node, met: Survey, coder: ParameterCoder) -> Effect:
    """What a statement that is no query and no write does to its transaction."""
    if kind == "LockStmt":
        return Effect.NONE if fields.get("mode") == _ACCESS_SHARE else Effect.LOCKS
    if kind == "CopyStmt" and "is_from" in fields:
        return Effect.LOCKS
    if kind == "CopyStmt" or (kind == "ExplainStmt" and _executes(fields)):
        query = fields.get("query")
        return _facts_of(query, met, coder).effect if query else Effect.NONE
    defines = kind in _DEFINING or kind.startswith(_DEFINING_PREFIXES)
    return Effect.DEFINES if defines and not _is_temporary(fields) else Effect.NONE


def _executes(explain: Node) -> bool:
    """Whether an EXPLAIN runs its statement: ANALYZE, alone or with a value that does not deny it."""
    for option in explain.get("options", []):
        if option["DefElem"].get("defname") == "analyze":
            _, value = tree.kind_of(option["DefElem"].get("arg") or {"Boolean": {"sval": "on"}})
            return str(value.get("sval", value.get("ival", 0))).lower() not in ("0", "false", "off")
    return False


def _is_temporary(fields: Node) -> bool:
    """Whether a statement makes a relation that no other session sees."""
    named = [*fields.values(), fields.get("into", {}).get("rel")]
    return any(isinstance(one, dict) and one.get("relpersistence") == "t" for one in named)


def _select(fields: Node, met: Survey, coder: ParameterCoder) -> StatementFacts:
    tables = tuple(met.tables)
    if fields.get("op", "SETOP_NONE") != "SETOP_NONE":
        return StatementFacts(Kind.SELECT, _role(met), tables=tables)
    inner = _only_subquery(fields)
    if inner is not None:
        return _wrapped(inner, fields, met, coder)
    ctes = {
        fields["ctename"]
        for kind, fields in tree.walk(fields.get("withClause", {}))
        if kind == "CommonTableExpr"
    }
    scope = Scope.of_from_clause(fields.get("fromClause", []), ctes)
    predicates, joins, disjunctive = read_conditions(
        [fields.get("whereClause"), *scope.conditions], scope, coder, lists=met.lists
    )
    obstacles, exclusions = read_obstacles(
        [fields.get("whereClause"), *scope.conditions, *scope.outer_conditions], scope, coder
    )
    clauses = [fields.get("whereClause"), *scope.conditions]
    lists = value_lists(clauses, fields.get("fromClause", []), scope, coder, met)
    columns, stars = _target_columns(fields.get("targetList", []), scope)
    limit, limit_parameter = _bound(fields.get("limitCount"), coder)
    offset, offset_parameter = _bound(fields.get("limitOffset"), coder)
    return StatementFacts(
        kind=Kind.SELECT,
        role=_role(met),
        tables=tables,
        main_table=scope.main_table,
        predicates=tuple(predicates),
        joins=tuple(joins),
        columns=columns,
        star=stars is not None,
        star_tables=stars or (),
        limit=limit,
        limit_parameter=limit_parameter,
        offset=offset,
        offset_parameter=offset_parameter,
        order_by=_sorted_columns(fields.get("sortClause", []), scope),
        one_row=_returns_one_row(fields, met),
        grouped="groupClause" in fields or "distinctClause" in fields,
        disjunctive=disjunctive,
        effect=Effect.LOCKS if "lockingClause" in fields else Effect.NONE,
        random_order="random" in met.functions and _sorts_randomly(fields.get("sortClause", [])),
        obstacles=obstacles,
        exclusions=exclusions,
        lists=lists,
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


def _wrapped(inner: Node, outer: Node, met: Survey, coder: ParameterCoder) -> StatementFacts:
    """Facts of a subquery with what its wrapper adds: rows are those of the wrapper."""
    facts = _select(inner, survey({"SelectStmt": inner}), coder)
    one_row = "fromClause" not in outer or _returns_one_row(outer, met)
    facts = replace(facts, tables=tuple(met.tables), one_row=one_row)
    limit, limit_parameter = _bound(outer.get("limitCount"), coder)
    if limit is None:
        return facts
    return replace(facts, limit=limit, limit_parameter=limit_parameter)


def _write(kind: Kind, fields: Node, met: Survey, coder: ParameterCoder) -> StatementFacts:
    target = tree.table_name(fields.get("relation", {}))
    tables = tuple(dict.fromkeys([target, *met.tables]))
    others = fields.get("fromClause") or fields.get("usingClause") or []
    scope = Scope.of_from_clause([{"RangeVar": fields.get("relation", {})}, *others], set())
    predicates: list[Predicate] = []
    joins: list[Join] = []
    disjunctive = False
    obstacles: tuple[Obstacle, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    if kind in (Kind.UPDATE, Kind.DELETE):
        obstacles, exclusions = read_obstacles([fields.get("whereClause")], scope, coder)
        predicates, joins, disjunctive = read_conditions(
            [fields.get("whereClause")], scope, coder, lists=met.lists
        )
    names = fields.get("cols") if kind is Kind.INSERT else fields.get("targetList")
    written = [
        target["ResTarget"].get("name", "") for target in names or [] if "ResTarget" in target
    ]
    rows = len(fields.get("selectStmt", {}).get("SelectStmt", {}).get("valuesLists", ()))
    return StatementFacts(
        kind=kind,
        role=Role.CATALOG if _all_of_catalog(tables) else Role.WORKLOAD,
        tables=tables,
        main_table=target,
        predicates=tuple(predicates),
        joins=tuple(joins),
        disjunctive=disjunctive,
        rows_written=rows,
        written_columns=tuple(written),
        obstacles=obstacles,
        exclusions=exclusions,
        effect=Effect.LOCKS,
    )


def _all_of_catalog(tables: Iterable[str]) -> bool:
    return all(
        name.startswith(_CATALOG_SCHEMAS) or ("." not in name and name.startswith("pg_"))
        for name in tables
    )


def _role(met: Survey) -> Role:
    if met.tables:
        return Role.CATALOG if _all_of_catalog(met.tables) else Role.WORKLOAD
    if not met.functions:
        return Role.HEALTH_CHECK
    about_server = all(
        name in _SESSION_FUNCTIONS or name.startswith(_SESSION_PREFIXES) for name in met.functions
    )
    return Role.SESSION if about_server else Role.WORKLOAD


def _target_columns(
    targets: list[Node], scope: Scope
) -> tuple[tuple[tuple[str | None, str], ...], tuple[str, ...] | None]:
    """Plain columns, and the tables that are selected whole: None where there is no star."""
    columns: list[tuple[str | None, str]] = []
    stars: list[str | None] | None = None
    for target in targets:
        value = target.get("ResTarget", {}).get("val", {})
        inner, _ = tree.without_casts(value) if value else ({}, [])
        if "ColumnRef" not in inner:
            continue
        names = tree.strings(inner["ColumnRef"].get("fields"))
        if names and names[-1] == "*":
            whole = [scope.aliases.get(names[-2])] if len(names) > 1 else scope.aliases.values()
            stars = [*(stars or ()), *whole]
        else:
            columns.append(scope.resolve(names))
    tables = None if stars is None else tuple(dict.fromkeys(name for name in stars if name))
    return tuple(columns), tables


def _sorts_randomly(sort: list[Node]) -> bool:
    """Whether the first thing that rows are sorted by is random()."""
    first = sort[0].get("SortBy", {}).get("node", {}) if sort else {}
    return tree.strings(first.get("FuncCall", {}).get("funcname"))[-1:] == ["random"]


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


def _returns_one_row(fields: Node, met: Survey) -> bool:
    """An aggregate without GROUP BY, or nothing but an EXISTS: one row whatever the tables hold."""
    if "groupClause" in fields or not (met.functions or met.sublinks):
        return False
    for target in fields.get("targetList", []):
        value = target.get("ResTarget", {}).get("val", {})
        for kind, inner in tree.collect(value, _ONE_ROW_MAKERS):
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
