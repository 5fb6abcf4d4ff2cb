"""The workload as a planner is to be asked about it: texts with real parameters, and how often each ran."""

from collections.abc import Sequence

from analyzer.model.index_request import AdvisedStatement, AdvisedWorkload
from analyzer.model.statement import Kind, Role
from analyzer.model.what_if import PlannedStatement
from analyzer.model.workload import Workload
from analyzer.sql.inlining import with_values
from analyzer.workload.constants import ConstantValues
from analyzer.workload.explained import SlowestExecutions

MOST = 400  # statements: the rest ran for a small share of the time
_PLANNED = (Kind.SELECT, Kind.INSERT, Kind.UPDATE, Kind.DELETE, Kind.MERGE)


def advised_workload(
    workload: Workload,
    slowest: SlowestExecutions,
    texts: Sequence[str],
    constants: ConstantValues | None = None,
) -> AdvisedWorkload:
    """The team's statements that have a plan, those that take most time first.

    Parameters are those of the slowest execution whose parameters a log shows; where none does, `$n`
    stay and the planner takes its generic plan.

    Args:
        workload: the statements with their calls.
        slowest: the executions seen.
        texts: of the recording, by key.
        constants: the values that never changed.
    """
    counted = {row.shape_id: row.query for row in workload.counters if row.shape_id}
    numbers = [
        number
        for number, one in enumerate(workload.statements)
        if one.facts.role is Role.WORKLOAD and one.facts.kind in _PLANNED
    ]
    unparsed = sum(
        not one.parsed and one.facts.role is Role.WORKLOAD for one in workload.statements
    )
    numbers.sort(key=lambda number: (-workload.stats[number].total_ms, number))
    left_out = [
        ("they take little of the time", len(numbers[MOST:])),
        ("no SQL that PostgreSQL understands", unparsed),
    ]
    found = []
    for number in numbers[:MOST]:
        statement, stats = workload.statements[number], workload.stats[number]
        sample = slowest.sample(number, statement, texts, counted)
        text = sample.text.strip().rstrip(";")
        if sample.values is not None:
            text = with_values(text, sample.values) or text
        rows = stats.rows_per_call
        written = rows if rows is not None else float(max(1, statement.facts.rows_written))
        planned = PlannedStatement(statement.shape_id, text, float(stats.calls))
        fixed = constants.of(number) if constants is not None else ()
        found.append(AdvisedStatement(planned, written, fixed=fixed))
    return AdvisedWorkload(tuple(found), tuple(one for one in left_out if one[1]))
