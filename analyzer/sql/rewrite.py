"""Rewriting a statement that is run once per key into one for all keys.

The batch returns, grouped by key, exactly the rows that the loop returned (docs/advice.md has the
forms). What cannot be rewritten so is refused, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field

from pglast import ast, parse_sql
from pglast.parser import ParseError

from analyzer.model.statement import Arity, Predicate
from analyzer.records import record
from analyzer.sql import tree
from analyzer.sql.batch_forms import (
    SCALARS,
    Key,
    array_form,
    grouped_form,
    lateral_form,
)
from analyzer.sql.batch_tree import Tree, inside, is_a, parameter_of, without_constants, words
from analyzer.sql.facts import read_facts
from analyzer.sql.plain_tree import LONGEST

_LIST = "/*, ... */"  # what a normalised text has for the rest of a list
_DEEPEST = 200  # levels of brackets

# Each execution of the loop gives another answer, or does something: one statement would not.
_VOLATILE = words(
    "clock_timestamp currval gen_random_uuid lastval lo_create nextval pg_notify pg_sleep random "
    "set_config setseed setval timeofday txid_current uuid_generate_v1 uuid_generate_v1mc "
    "uuid_generate_v4 uuidv4 uuidv7 dblink dblink_exec"
)
_POSITION = "it {} by a position or a constant, which the text without its values does not tell"
_OBSTACLES: Mapping[type, str] = {
    ast.LockingClause: "it locks rows (FOR UPDATE …): one statement would lock those of all keys at once",
    ast.InsertStmt: "it writes",
    ast.UpdateStmt: "it writes",
    ast.DeleteStmt: "it writes",
    ast.IntoClause: "it writes",
    ast.RangeTableSample: "it reads a random sample (TABLESAMPLE)",
}
_LOCKING = "pg_advisory", "pg_try_advisory"
_AGGREGATES = words(
    "count sum avg min max bool_and bool_or every array_agg string_agg json_agg jsonb_agg row_number "
    "rank dense_rank lag lead first_value last_value unnest generate_series"
)


@record
class Batch:
    """A statement that loads for all keys at once.

    `arrays` are the numbers of its array parameters, `keys` the names under which its rows carry
    the key, both in the order of the columns that were asked for. `form` is array (`= ANY`),
    grouped (one aggregate per key) or lateral. `note` says what to know beside the round trips.
    """

    sql: str
    arrays: tuple[int, ...]
    keys: tuple[str, ...]
    form: str
    note: str


@record
class NoBatch:
    """Why a statement cannot be run for all keys at once."""

    reason: str


@record
class Known:
    """What is known beside the text.

    `types` are PostgreSQL types by (table, column); `integers` the values that parameters of LIMIT
    and OFFSET always had, by number; `unique` says that the lookup finds at most one row.
    """

    types: Mapping[tuple[str | None, str], str] = field(default_factory=dict)
    integers: Mapping[int, int] = field(default_factory=dict)
    unique: bool = False


def batch(sql: str, columns: Sequence[str], known: Known | None = None) -> Batch | NoBatch:
    """The statement for an array of keys where it compares `columns` with one value each.

    Args:
        sql: a normalised SELECT (parameters, no literals).
        columns: what the loop looks up by, and changes; all else stays a parameter.
        known: of the columns and parameters.

    Returns:
        The batch; rows come with their key. NoBatch with the reason where none would be the same.
    """
    known = known or Known()
    select, refused = _select(sql)
    if select is None:
        return NoBatch(refused)
    try:
        lookups = _lookups(sql, columns)
        if lookups is None:
            return NoBatch(
                f"which condition on {', '.join(columns) or 'a column'} changes cannot be told from the text"
            )
        refused = _refusal(select, {one.parameter for one in lookups})
        if refused:
            return NoBatch(refused)
        keys = [Key.of(one, known.types).cast_in(select) for one in lookups]
        without_constants(select, known.integers)
        return _made(select, keys, known)
    except (NotImplementedError, RecursionError, tree.ParseError):
        # pglast prints nearly all of PostgreSQL's grammar, and parses deeper than facts are read
        return NoBatch("it holds syntax that is rare or nested too deeply to be written anew")


def _select(sql: str) -> tuple[Tree | None, str]:
    """The tree of a single SELECT, or why there is none."""
    if len(sql) > LONGEST or sql.count("(") > _DEEPEST:
        return None, "the statement is too long to be rewritten for copying"
    if _LIST in sql:
        return None, "it has a list of values beside the key, whose length varies"
    try:
        statements = parse_sql(sql)
    except (ParseError, RecursionError):
        return None, "PostgreSQL's grammar refuses the text (cut off, or another dialect)"
    node: Tree = statements[0].stmt if len(statements) == 1 else None
    if not is_a(node, ast.SelectStmt):
        return None, "it is no single SELECT"
    return node, ""


def _lookups(sql: str, columns: Sequence[str]) -> list[Predicate] | None:
    """The condition on each column; None where there is none, or more than one."""
    found = []
    facts = read_facts(tree.parse(sql), sql)
    for column in columns:
        matching = [
            one
            for one in facts.predicates
            if one.column == column
            and one.operator == "="
            and one.arity is Arity.ONE
            and one.parameter > 0
        ]
        if len(matching) != 1:
            return None
        found += matching
    numbers = {one.parameter for one in found}
    return found if found and len(numbers) == len(found) else None


def _refusal(select: Tree, numbers: set[int]) -> str:
    """Why the loop's executions cannot become one; empty where they can."""
    for node in inside(select):
        reason = _obstacle(node)
        if reason:
            return reason
    for bound in (select.limitCount, select.limitOffset):
        parameter = parameter_of(bound)
        if parameter is not None and parameter.number in numbers:
            return "the key is also its LIMIT or OFFSET"
    return ""


def _obstacle(node: Tree) -> str:
    """Why a part of a statement keeps it from being rewritten; empty where it does not."""
    if is_a(node, ast.FuncCall):
        name = str(node.funcname[-1].sval)
        if name in _VOLATILE or name.startswith(_LOCKING):
            return f"it calls {name}(), which answers otherwise, or does something, each time"
    if is_a(node, ast.SortBy) and parameter_of(node.node) is not None:
        return _POSITION.format("sorts")
    if is_a(node, ast.SelectStmt) and any(map(parameter_of, node.groupClause or ())):
        return _POSITION.format("groups")
    return _OBSTACLES.get(type(node), "")


def _made(select: Tree, keys: list[Key], known: Known) -> Batch | NoBatch:
    """The first of the forms that holds, with what the application has to know."""
    unknown = sorted(
        {
            str(node.funcname[-1].sval)
            for node in inside(select)
            if is_a(node, ast.FuncCall) and node.funcname[-1].sval not in SCALARS | _AGGREGATES
        }
    )
    doubt = (
        f"; it calls {', '.join(unknown)}(), taken to be free of side effects" if unknown else ""
    )
    single = len(keys) == 1
    if single and (made := array_form(select, keys[0], unique=known.unique)):
        sql, arrays, names = made
        note = "rows of all keys come together: group them by the key; give each key once"
        return Batch(sql, arrays, names, "array", note + doubt)
    untyped = next((key for key in keys if key.array(1) is None), None)
    if untyped is not None:
        return NoBatch(
            f"the type of {untyped.column} is not known: give --schema, so that the array of keys has one"
        )
    if single and (made := grouped_form(select, keys[0])):
        sql, arrays, names = made
        note = (
            "one row for each key, also for those without rows (0, or NULL as the aggregate gives)"
        )
        return Batch(sql, arrays, names, "grouped", note + doubt)
    bounded = select.limitCount is not None
    sql, arrays, names = lateral_form(select, keys)
    note = "the statement is run for each key inside the server, in one round trip"
    note += "; LIMIT and ORDER BY hold for each key" if bounded or select.sortClause else ""
    return Batch(sql, arrays, names, "lateral", note + doubt)
