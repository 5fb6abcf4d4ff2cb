"""Whether a statement may be explained, and whether its syntax tree proves that it only reads.

The proof has two halves. Here every node of the tree has to be of a kind that is known to only read,
and every function one of a list; what else it names (operators, types, tables) is collected. The
server then tells whether these names can mean anything but its own, non-volatile functions and plain
tables (sources/postgres/proof.py). Whatever is not known is refused.
"""

from collections.abc import Iterable, Mapping

from pglast import ast, enums
from pglast.parser import ParseError

from analyzer.records import record
from analyzer.sql.batch_tree import Tree, inside, is_a, words
from analyzer.sql.plain_tree import only_statement

_PLANNABLE = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)

_REASONS: Mapping[str, str] = {
    "IntoClause": "it makes a table (SELECT INTO)",
    "LockingClause": "it locks rows (FOR UPDATE, FOR SHARE)",
    "InsertStmt": "it writes (INSERT)",
    "UpdateStmt": "it writes (UPDATE)",
    "DeleteStmt": "it writes (DELETE)",
    "MergeStmt": "it writes (MERGE)",
    "RangeTableSample": "it uses TABLESAMPLE, whose method is a function",
}

# Kinds of nodes that only read, and name nothing but what `_Names` collects.
_KNOWN = words("""
    SelectStmt ResTarget ColumnRef A_Star A_Const Integer Float Boolean String BitString A_Expr BoolExpr
    NullTest BooleanTest FuncCall TypeCast TypeName SubLink RangeVar RangeSubselect RangeFunction JoinExpr
    Alias SortBy WithClause CommonTableExpr CaseExpr CaseWhen CoalesceExpr MinMaxExpr A_ArrayExpr RowExpr
    ParamRef A_Indirection A_Indices WindowDef GroupingSet GroupingFunc SQLValueFunction NamedArgExpr List
""")

# Functions of PostgreSQL that compute from their arguments, or tell of the session. None of them waits,
# sends, writes, takes locks, reads files, or runs SQL that it is given.
FUNCTIONS = words("""
    count sum avg min max bool_and bool_or every array_agg string_agg json_agg jsonb_agg json_object_agg
    jsonb_object_agg bit_and bit_or stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop
    covar_samp mode percentile_cont percentile_disc any_value
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
    lower upper length char_length character_length octet_length bit_length btrim ltrim rtrim trim substring
    substr left right replace translate overlay position strpos split_part starts_with concat concat_ws
    repeat reverse initcap lpad rpad ascii chr md5 encode decode format quote_ident quote_literal
    quote_nullable regexp_replace regexp_match regexp_matches regexp_split_to_array regexp_split_to_table
    regexp_like regexp_count regexp_instr regexp_substr string_to_array string_to_table array_to_string
    to_char to_date to_number to_timestamp like_escape similar_to_escape similar_escape normalize
    abs ceil ceiling floor round trunc sqrt cbrt exp ln log power pow mod div sign pi degrees radians sin
    cos tan asin acos atan atan2 gcd lcm factorial width_bucket greatest least
    now transaction_timestamp statement_timestamp date_trunc date_part extract age date_bin make_date
    make_time make_timestamp make_timestamptz make_interval justify_days justify_hours justify_interval
    timezone isfinite overlaps date timestamp interval
    array_length array_upper array_lower array_ndims array_dims cardinality array_position array_positions
    array_append array_prepend array_cat array_remove array_replace unnest generate_series generate_subscripts
    json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb row_to_json
    json_array_length jsonb_array_length json_array_elements jsonb_array_elements json_array_elements_text
    jsonb_array_elements_text json_extract_path jsonb_extract_path json_extract_path_text
    jsonb_extract_path_text json_each jsonb_each json_each_text jsonb_each_text json_object_keys
    jsonb_object_keys json_typeof jsonb_typeof json_strip_nulls jsonb_strip_nulls jsonb_set jsonb_path_query
    jsonb_path_exists jsonb_path_match jsonb_path_query_array jsonb_path_query_first jsonb_pretty
    to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd
    numnode querytree setweight strip ts_headline
    lower_inc upper_inc lower_inf upper_inf isempty range_merge int4range int8range numrange tsrange tstzrange
    daterange int4 int8 float4 float8 numeric text varchar bpchar bool host family masklen network broadcast
    point box circle area center num_nulls num_nonnulls coalesce nullif
""")

_BETWEEN = (
    enums.A_Expr_Kind.AEXPR_BETWEEN,
    enums.A_Expr_Kind.AEXPR_NOT_BETWEEN,
    enums.A_Expr_Kind.AEXPR_BETWEEN_SYM,
    enums.A_Expr_Kind.AEXPR_NOT_BETWEEN_SYM,
)


class NotExplainableError(ValueError):
    """The text is not one statement that can be planned; the message says what it is."""


class NotReadOnlyError(ValueError):
    """The syntax tree does not prove that the statement only reads; the message says why."""


@record
class Names:
    """What a statement names, for the server to look up by its search path.

    `fields` are names behind a dot: `t.name` calls the function `name(t)` where t has no such column.
    `relations` are (schema or None, name); a common table expression's name may be among them.
    """

    functions: frozenset[str]
    fields: frozenset[str]
    operators: frozenset[str]
    relations: frozenset[tuple[str | None, str]]
    types: frozenset[str]


def parameter_count(text: str) -> int:
    """How many `$n` a text has that EXPLAIN can be put before: the largest n.

    Raises:
        NotExplainableError: it is no SQL, several statements, or one that has no plan.
    """
    numbers = (node.number for node in inside(_plannable(text)) if is_a(node, ast.ParamRef))
    return max(numbers, default=0)


def names_if_read_only(text: str) -> Names:
    """What the statement names, if its tree holds nothing that could do more than read.

    Raises:
        NotExplainableError: as `parameter_count`.
        NotReadOnlyError: it writes, locks, calls a function that is not known, or has syntax that is not.
    """
    nodes = list(inside(_plannable(text)))
    for node in nodes:
        kind = type(node).__name__
        if kind not in _KNOWN:
            raise NotReadOnlyError(_REASONS.get(kind, f"it has syntax that is not judged ({kind})"))
    functions = frozenset(_functions(nodes))
    for name in sorted(functions - FUNCTIONS):
        raise NotReadOnlyError(f"it calls {name}(), which is not known to only read")
    return Names(
        functions=functions,
        fields=frozenset(_fields(nodes)),
        operators=frozenset(_operators(nodes)),
        relations=frozenset(_relations(nodes)),
        types=frozenset(_types(nodes)),
    )


def _plannable(text: str) -> Tree:
    if "\0" in text:
        raise NotExplainableError("its text holds a NUL")
    try:
        statement = only_statement(text)
    except (ParseError, RecursionError, UnicodeError):
        raise NotExplainableError(
            "its text cannot be parsed (cut off, or of another dialect)"
        ) from None
    if statement is None:
        raise NotExplainableError("its text is not one statement, or too long")
    if not is_a(statement, *_PLANNABLE):
        raise NotExplainableError("it is no statement that has a plan")
    if is_a(statement, ast.SelectStmt) and any(
        is_a(node, ast.IntoClause) for node in inside(statement)
    ):
        raise NotExplainableError(_REASONS["IntoClause"])
    return statement


def _own(names: Iterable[Tree] | None, what: str) -> str:
    """A name that is not qualified, or by pg_catalog."""
    parts = [str(part.sval) for part in names or ()]
    if len(parts) == 1 or (len(parts) == 2 and parts[0] == "pg_catalog"):  # noqa: PLR2004 - schema, name
        return parts[-1]
    raise NotReadOnlyError(f"it uses {what} that is not PostgreSQL's own ({'.'.join(parts)})")


def _functions(nodes: Iterable[Tree]) -> Iterable[str]:
    for node in nodes:
        if is_a(node, ast.FuncCall):
            yield _own(node.funcname, "a function")


def _fields(nodes: Iterable[Tree]) -> Iterable[str]:
    for node in nodes:
        behind: Iterable[Tree] = ()
        if is_a(node, ast.ColumnRef):
            behind = node.fields[1:]
        elif is_a(node, ast.A_Indirection):
            behind = node.indirection
        yield from (str(one.sval) for one in behind if is_a(one, ast.String))


def _operators(nodes: Iterable[Tree]) -> Iterable[str]:
    yield "="  # USING, CASE x WHEN and IN compare by it without naming it
    for node in nodes:
        if is_a(node, ast.A_Expr):
            if node.kind in _BETWEEN:
                yield from ("<", "<=", ">", ">=")
            else:
                yield _own(node.name, "an operator")
        elif is_a(node, ast.SubLink) and node.operName:
            yield _own(node.operName, "an operator")
        elif is_a(node, ast.SortBy) and node.useOp:
            yield _own(node.useOp, "an operator")


def _relations(nodes: Iterable[Tree]) -> Iterable[tuple[str | None, str]]:
    for node in nodes:
        if is_a(node, ast.RangeVar):
            yield node.schemaname, str(node.relname)


def _types(nodes: Iterable[Tree]) -> Iterable[str]:
    for node in nodes:
        if is_a(node, ast.TypeName):
            if node.setof or node.pct_type:
                raise NotReadOnlyError("it names a type by a column or as a set")
            yield _own(node.names, "a type")
