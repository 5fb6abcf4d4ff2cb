"""N+1 → the ORM's own way to load children with parents, and one statement for all keys."""

from analyzer.advice.batching import is_unique, lookups, recommend_rewrite, rewritten
from analyzer.advice.stacks import COUNT, EXISTS, FEW, ROWS, Lookup, Loop, Stacks
from analyzer.advice.stacks._base import singular, snake
from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.finding import Recommendation, round_trips
from analyzer.model.statement import Statement
from analyzer.model.workload import Workload
from analyzer.sql.asked import Asked, asked_of

_ALL = "*"  # the parent's columns are not known: SELECT *


def recommend_batch(
    evidence: NPlusOneEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """Eager loading in each stack that the input shows, surest first; plain SQL is always last."""
    child = workload.statement(evidence.child_shape_id)
    columns = evidence.lookup_columns
    effect = round_trips(1 + evidence.children_per_occurrence.median, 2)
    loop = _loop(evidence, child, workload)
    made = stacks.written(
        [evidence.child_sql, evidence.parent_sql],
        lambda stack: stack.load(loop) if isinstance(loop, Loop) else stack.lookup(loop),
        effect,
    )
    where, of_keys = f"all rows of {evidence.parent_table}", _keys(evidence)
    if _from_elsewhere(evidence):
        where, of_keys = "all turns of the loop", "the keys, collected before the loop"
    plain = recommend_rewrite(
        rewritten(child, columns, evidence.examples, workload),
        f"Load {evidence.child_table} for {where} at once",
        of_keys,
        effect,
    )
    return (*made, plain)


def _keys(evidence: NPlusOneEvidence) -> str:
    """What is looked up, in the parent's rows; of a SELECT * the column is not known by name."""
    if evidence.parent_columns == (_ALL,):
        return f"what refers to {evidence.child_table} in the parent's rows"
    columns = ", ".join(f"{evidence.parent_table}.{one}" for one in evidence.parent_columns)
    return f"{columns} of the parent's rows"


def _from_elsewhere(evidence: NPlusOneEvidence) -> bool:
    """Whether what is looked up is known not to be the parent's rows'."""
    return evidence.values_compared is not None and not evidence.parent_columns


def _loop(evidence: NPlusOneEvidence, child: Statement, workload: Workload) -> Loop | Lookup:
    """What the code has to undo: a relation, or rows of one table that are fetched again."""
    column = evidence.lookup_columns[0] if evidence.lookup_columns else "id"
    parent_table, child_table = evidence.parent_table or "parent", evidence.child_table or "child"
    own_key = evidence.parent_columns[0] if evidence.parent_columns else "id"
    if own_key == _ALL:  # the column that refers to the child is not known: by its usual name
        own_key = f"{singular(snake(child_table))}_{column}"
    unique = is_unique(child, evidence.lookup_columns, workload)
    on = next((one.table for one in lookups(child, evidence.lookup_columns)), child_table)
    if _from_elsewhere(evidence) or (parent_table == child_table and own_key == column):
        called = workload.call(evidence.child_shape_id)
        return Lookup(child_table, column, unique, child.sql, workload.catalog, called)
    forward = on == child_table and unique and own_key != column
    return Loop(
        parent_table=parent_table,
        child_table=child_table,
        parent_column=own_key,
        child_column=column if on == child_table else _joined(child, child_table, on) or column,
        forward=forward,
        asks=_asks(child, unique=unique),
        limit=child.facts.limit if (child.facts.limit or 0) > 0 else None,
        parent_sql=evidence.parent_sql,
        child_sql=evidence.child_sql,
        catalog=workload.catalog,
        also=_also(child, child_table, evidence.lookup_columns),
        parent_call=workload.call(evidence.parent_shape_id),
        child_call=workload.call(evidence.child_shape_id),
    )


def _also(child: Statement, table: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The child's own columns on which it has conditions beside the lookup."""
    found = (one for one in child.facts.predicates if one.table == table)
    return tuple(dict.fromkeys(one.column for one in found if one.column not in columns))


def _joined(child: Statement, table: str, other: str | None) -> str | None:
    """The column of `table` that the child statement joins `other` on."""
    for join in child.facts.joins:
        if (join.left_table, join.right_table) == (table, other):
            return join.left_column
        if (join.right_table, join.left_table) == (table, other):
            return join.right_column
    return None


def _asks(child: Statement, *, unique: bool) -> str:
    """What a child asks for each parent: rows, a count, whether there are any, or a few."""
    asked = asked_of(child.sql)
    if asked is Asked.COUNT and child.facts.one_row:
        return COUNT
    if asked is Asked.EXISTS:
        return EXISTS
    return FEW if child.facts.limit is not None and not unique else ROWS
