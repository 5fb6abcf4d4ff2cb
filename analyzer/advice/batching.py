"""The plain-SQL way: a statement that is run once per key, for all keys at once."""

import re
from collections.abc import Sequence
from dataclasses import replace

from analyzer.model.evidence_parts import ExampleExecution
from analyzer.model.finding import Effect, Recommendation
from analyzer.model.statement import Arity, Predicate, Statement
from analyzer.model.workload import Workload
from analyzer.sql.identity import identify
from analyzer.sql.quoting import comment
from analyzer.sql.rewrite import Batch, Known, NoBatch, batch

_NAMED_UNIQUE = frozenset({"id", "uuid", "pk", "guid"})
_MOST_DIGITS = 9


def rewritten(
    statement: Statement,
    columns: Sequence[str],
    examples: Sequence[ExampleExecution],
    workload: Workload,
) -> Batch | NoBatch:
    """The statement for all values of `columns`, with what the schema and the examples tell."""
    unique = is_unique(statement, columns, workload)
    made = batch(
        statement.sql, columns, Known(_types(workload), _integers(statement, examples), unique)
    )
    known = workload.catalog.table(statement.facts.main_table) if workload.catalog else None
    if isinstance(made, Batch) and unique and known is None and statement.facts.limit is not None:
        taken = f"{columns[0]} is taken to be unique: give --schema to be sure"
        return replace(made, note=f"{made.note}; {taken}")
    return made


def is_unique(statement: Statement, columns: Sequence[str], workload: Workload) -> bool:
    """Whether the lookup finds one row of the statement's first table; without a schema by its name."""
    found = lookups(statement, columns)
    if not found or any(one.table != statement.facts.main_table for one in found):
        return False
    table = workload.catalog.table(statement.facts.main_table) if workload.catalog else None
    if table is not None:
        return table.is_unique(frozenset(columns))
    return len(columns) == 1 and columns[0].lower() in _NAMED_UNIQUE


def lookups(statement: Statement, columns: Sequence[str]) -> list[Predicate]:
    """The equalities with one value on these columns."""
    return [
        one
        for one in statement.facts.predicates
        if one.column in columns and one.operator == "=" and one.arity is Arity.ONE
    ]


def recommend_rewrite(
    made: Batch | NoBatch, title: str, keys: str, effect: Effect
) -> Recommendation:
    """The batch as a recommendation; where there is none, why.

    `keys` says in words which values its arrays hold.
    """
    if isinstance(made, NoBatch):
        return Recommendation(
            kind="rewrite",
            language="text",
            title="No plain-SQL batch can be given for this statement",
            text=f"{made.reason}.",
            verified_by="rule",
            risk="what the loop does may need one execution for each key: look at it before it is changed",
        )
    others = {n for n in re.findall(r"\$(\d+)", made.sql) if int(n) not in made.arrays}
    rest = (
        f"; {', '.join(f'${n}' for n in sorted(others, key=int))}: as in the loop" if others else ""
    )
    arrays = " and ".join(f"${number}" for number in made.arrays)
    several = "arrays of the same length" if len(made.arrays) > 1 else "array"
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=title,
        text=f"-- {arrays}: {several}, {comment(keys)}{rest}\n{made.sql};",
        verified_by="rule",
        risk=f"one larger statement: for thousands of keys split the array; {made.note}",
        effect=effect,
        because="plain SQL, for any stack",
    )


def _types(workload: Workload) -> dict[tuple[str | None, str], str]:
    return {
        (table.name, column.name): column.type
        for table in workload.catalog or ()
        for column in table.columns
        if column.type
    }


def _integers(statement: Statement, examples: Sequence[ExampleExecution]) -> dict[int, int]:
    """LIMIT and OFFSET as numbers, where all examples of the statement had the same."""
    facts = identify(statement.sql).facts
    found = {}
    mine = [one.parameters for one in examples if one.shape_id == statement.shape_id]
    for number in (facts.limit_parameter, facts.offset_parameter):
        values = {values[number - 1] for values in mine if 0 < number <= len(values)}
        if len(values) == 1 and all(number <= len(values) for values in mine):
            digits = next(iter(values)).strip("'")
            # More values than parameters: some of them are constants that the text still has.
            aligned = all(f"${len(values) + 1}" not in statement.sql for values in mine)
            if digits.isdecimal() and len(digits) <= _MOST_DIGITS and aligned:
                found[number] = int(digits)
    return found
