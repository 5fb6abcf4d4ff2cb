"""Index advice for a whole workload: candidates of scans and foreign keys, without repeats."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from analyzer.indexes.advising import Tried, advise_by_what_if
from analyzer.indexes.building import created_index
from analyzer.indexes.candidates import candidate_for_scan
from analyzer.indexes.foreign_keys import uncovered
from analyzer.indexes.hygiene import drops
from analyzer.indexes.notes import notes
from analyzer.indexes.partitions import Partitions, for_all_partitions
from analyzer.indexes.superseded import KIND, superseded
from analyzer.indexes.vectors import vector_advice
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.finding import Finding
from analyzer.model.index_advice import CreatedIndex, IndexAdvice, StatementGain
from analyzer.model.index_candidate import IndexCandidate, NoCandidate
from analyzer.model.index_request import AdvisedWorkload, IndexRequest
from analyzer.model.remedy import WantedIndex
from analyzer.model.what_if import WhatIf
from analyzer.model.workload import Workload
from analyzer.sql.quoting import quote_identifier

_NEAREST = ("hnsw", "ivfflat")
_TINY_ROWS = 1000  # below this a scan is as fast as an index


def candidates_for(
    findings: Sequence[Finding], workload: Workload, *, max_width: int
) -> dict[str, IndexCandidate | NoCandidate]:
    """For each finding that an index may help (by its key) that index, or why none would."""
    catalog = workload.catalog
    partitions = Partitions(catalog) if catalog is not None else None
    found: dict[str, IndexCandidate | NoCandidate] = {}
    for finding in findings:
        wanted = _wanted(finding)
        if wanted is None:
            continue
        table = catalog.table(wanted.table) if catalog is not None else None
        if table is not None and partitions is not None:  # of a partition: the whole table's index
            wanted = replace(wanted, table=partitions.root(table.name))
        made = candidate_for_scan(wanted, catalog, max_width=max_width)
        found[finding.key] = (
            for_all_partitions(made, catalog) if isinstance(made, IndexCandidate) else made
        )
    return found


def _wanted(finding: Finding) -> SeqScanEvidence | WantedIndex | None:
    """What an index is to find: what a scan looks for, or the first that a plan's finding names."""
    if isinstance(finding.evidence, SeqScanEvidence):
        return finding.evidence
    return next((one for one in finding.remedies if isinstance(one, WantedIndex)), None)


def advise_indexes(
    candidates: Mapping[str, IndexCandidate | NoCandidate],
    findings: Sequence[Finding],
    workload: Workload,
    *,
    show_values: bool = False,
) -> IndexAdvice:
    """The indexes to create: those of scans first, then foreign keys that statements look up by, then distances.

    `show_values`: statements may have values of the data.
    """
    served: dict[str, tuple[IndexCandidate, list[str], str]] = {}
    for finding in findings:
        candidate = candidates.get(finding.key)
        if isinstance(candidate, IndexCandidate):
            _, shapes, _ = served.setdefault(candidate.sql, (candidate, [], "plan"))
            shapes += [shape for shape in finding.shape_ids if shape not in shapes]
    for candidate, shapes in _foreign_keys(workload):
        _, known, _ = served.setdefault(candidate.sql, (candidate, [], "rule"))
        known += [shape for shape in shapes if shape not in known]
    wanted = [candidate for candidate, _, _ in served.values()]
    chosen = [entry for entry in served.values() if not _is_prefix(entry[0], wanted)]
    advice = IndexAdvice(create=tuple(_created(*entry, workload=workload) for entry in chosen))
    candidates_chosen = [candidate for candidate, _, _ in chosen]
    nearest, vector_notes = vector_advice(workload, show_values=show_values)
    by_rule = {one.sql for one in advice.create}
    more = tuple(one for one in nearest if one.sql not in by_rule)
    advice = with_hygiene(replace(advice, create=(*advice.create, *more)), workload)
    advice = replace(advice, notes=(*advice.notes, *vector_notes))
    return _with_superseded(advice, candidates_chosen, workload)


def advise_tried(
    what_if: WhatIf | None,
    about: tuple[Workload, AdvisedWorkload],
    advice: IndexAdvice,
    request: IndexRequest,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> IndexAdvice:
    """The advice chosen by asking a planner; the given one, of rules, where there is none to ask.

    What could not be resolved or planned becomes warnings of the workload's coverage.
    """
    workload, statements = about
    if what_if is None or workload.catalog is None:
        return advice
    show = (lambda text: progress(text, 0, None)) if progress else None
    tried = advise_by_what_if(statements, workload.catalog, what_if, request, show)
    workload.coverage.warnings += tried.notes
    return with_tried(advice, tried, request, what_if.method, workload)


def with_tried(
    advice: IndexAdvice, tried: Tried, request: IndexRequest, method: str, workload: Workload
) -> IndexAdvice:
    """What was chosen by what-if, and of what rules advise only what could not be tried that way."""
    untried = {candidate.name for candidate, _ in tried.refused}
    by_distance = {(one.table, one.columns) for one in tried.candidates if one.method in _NEAREST}
    kept = tuple(
        one
        for one in advice.create
        if (one.name in untried or one.method != "btree")
        and not (one.method in _NEAREST and any(_of_column(one, *known) for known in by_distance))
    )
    left = None if request.budget_bytes is None else request.budget_bytes - tried.bytes
    keys = _bare_foreign_keys(workload, tried, left)
    by_rule = [candidate for candidate, _ in tried.refused if candidate.name in _names(kept)]
    advice = _with_superseded(advice, [*tried.candidates, *by_rule], workload)
    return replace(
        advice,
        create=(*tried.create, *kept, *keys),
        cost_before=tried.cost_before,
        cost_after=tried.cost_after,
        what_if_calls=tried.calls,
        method=method,
        budget_bytes=request.budget_bytes,
        bytes=tried.bytes,
        finished=tried.finished,
        unanswered=tried.unanswered,
    )


def _of_column(one: CreatedIndex, table: str, columns: tuple[str, ...]) -> bool:
    """Whether an index for distances is of a column that one that was tried is of, and of all rows as that."""
    quoted = quote_identifier(columns[0])
    return one.table == table and " WHERE " not in one.sql and f" ({quoted} " in one.sql


def _names(created: Sequence[CreatedIndex]) -> set[str]:
    return {one.name for one in created}


def _with_superseded(
    advice: IndexAdvice, candidates: Sequence[IndexCandidate], workload: Workload
) -> IndexAdvice:
    """The advice with the drops that these candidates bring, instead of those that others brought."""
    if workload.catalog is None:
        return advice
    others = [one for one in advice.drop if one.kind != KIND]
    gone = {(one.table, one.index) for one in others if one.action == "drop"}
    brought = tuple(superseded(candidates, workload.catalog, gone))
    better = {(one.table, one.index) for one in brought}  # than what is only to be reviewed
    kept = (one for one in others if (one.table, one.index) not in better)
    return replace(advice, drop=(*kept, *brought))


def _bare_foreign_keys(
    workload: Workload, tried: Tried, left: int | None
) -> tuple[CreatedIndex, ...]:
    """Indexes of foreign keys that no chosen index begins with, as far as the budget reaches.

    A DELETE of the parent, or a change of its key, looks for children; the planner's costs do not show
    that, so no what-if can. Tiny tables are left out.
    """
    if workload.catalog is None:
        return ()
    found: list[CreatedIndex] = []
    for candidate in uncovered(workload.catalog):
        table = workload.catalog.table(candidate.table)
        if table is None or table.rows is None or table.rows < _TINY_ROWS:
            continue
        if any(_covers(one, candidate) for one in tried.candidates):
            continue
        size = candidate.bytes or 0
        if left is not None:
            left -= size
            if left < 0:
                break
        found.append(_created(candidate, [], "rule", workload=workload))
    return tuple(found)


def _covers(chosen: IndexCandidate, key: IndexCandidate) -> bool:
    """Whether an index begins with a foreign key's columns, in any order."""
    front = set(chosen.columns[: len(key.columns)])
    whole = chosen.predicate is None and chosen.method == "btree"
    return whole and chosen.table == key.table and front == set(key.columns)


def with_hygiene(advice: IndexAdvice, workload: Workload) -> IndexAdvice:
    """The advice with what is to be said of the indexes that exist: which to drop, and notes."""
    found = drops(workload)
    return replace(advice, drop=found, notes=notes(workload, found))


def _foreign_keys(workload: Workload) -> list[tuple[IndexCandidate, list[str]]]:
    """Unindexed foreign keys of tables that are not tiny, with the statements that look up by them."""
    if workload.catalog is None:
        return []
    found = []
    for candidate in uncovered(workload.catalog):
        table = workload.catalog.table(candidate.table)
        tiny = table is not None and table.rows is not None and table.rows < _TINY_ROWS
        first = candidate.columns[0]
        shapes = [
            statement.shape_id
            for statement in workload.statements
            if any(
                predicate.table == candidate.table
                and predicate.column == first
                and predicate.operator == "="
                and predicate.expression is None
                for predicate in statement.facts.predicates
            )
        ]
        if shapes and not tiny:
            found.append((candidate, shapes))
    return found


def _is_prefix(candidate: IndexCandidate, others: Sequence[IndexCandidate]) -> bool:
    """Whether a wider index to create begins with the same columns."""
    return any(
        other.table == candidate.table
        and other.plain
        and candidate.plain
        and other.method == candidate.method
        and len(other.columns) > len(candidate.columns)
        and other.columns[: len(candidate.columns)] == candidate.columns
        for other in others
    )


def _created(
    candidate: IndexCandidate, shapes: list[str], verified_by: str, *, workload: Workload
) -> CreatedIndex:
    table = workload.catalog.table(candidate.table) if workload.catalog else None
    return created_index(
        candidate,
        workload.catalog,
        size=candidate.bytes,
        statements=[StatementGain(shape) for shape in shapes],
        write_cost={
            "rows_written": table.writes if table else None,
            "hot_ratio": table.hot_ratio if table else None,
        },
        verified_by=verified_by,
        risk=candidate.trade_off,
    )
