"""Advice judged by running statements with it: what makes one slower is taken out.

The advice is one change: indexes to create and to drop. Of what a slower statement's plans have to do with, that
part is to blame without which it is not slower.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from analyzer.indexes.blame import Judging
from analyzer.model.catalog import Catalog
from analyzer.model.explain import Sample
from analyzer.model.index_advice import (
    CreatedIndex,
    DroppedIndex,
    IndexAdvice,
    IndexNote,
    StatementGain,
)
from analyzer.model.verification import Bench, Measured, Scale, Trial, Verification
from analyzer.sql.trial_index import NotTriableError, trial_index

_ALIKE = 0.2  # of a table's rows: so much more or less on the scratch server makes no difference
_INVALID = "invalid"  # a kind of drop: no plan can use such an index, with or without


def verify(
    advice: IndexAdvice, samples: Sequence[Sample], bench: Bench, catalog: Catalog | None = None
) -> IndexAdvice:
    """The advice as measured: without what makes a statement slower, with medians.

    What cannot be blamed for sure, for want of time, stays and is flagged. `catalog` is of the server that is
    advised: where tables of the scratch server have other sizes, that is said.

    Raises:
        ServerError: the bench is gone.
    """
    created = dict(_named(advice.create))
    drops = {one.sql: one for one in advice.drop if one.kind != _INVALID}
    if not created and not drops:
        return advice
    brought = {
        name: {text for text, one in drops.items() if one.covered_by == name} for name in created
    }
    scales = _scales(advice, bench, catalog)  # first: building an index counts its table's rows
    with bench.stage([one.sql for one in created.values()], list(drops)) as stage:
        judging = Judging(stage, samples, _weights(advice.create), brought)
        judging.settle()
        trial = Trial(stage.built, judging.statements, stage.dropped)
        finished = stage.time_left()
    left = [name for name in (*created, *drops) if name not in judging.out]
    flagged = {
        name: blamed
        for name in left
        if (blamed := [one for one in judging.worse() if name in one.touched])
    }
    found = Verification(bench.origin, trial, judging.rejected, flagged, scales, finished)
    return _concluded(advice, created, drops, found)


def _concluded(
    advice: IndexAdvice,
    created: Mapping[str, CreatedIndex],
    drops: Mapping[str, DroppedIndex],
    found: Verification,
) -> IndexAdvice:
    rejected = found.rejected
    kept = [one for one in advice.create if _name(one) not in rejected]
    dropped = [
        one for one in advice.drop if one.sql not in rejected and one.covered_by not in rejected
    ]
    notes = [_rejection(created[name], name, found) for name in rejected if name in created]
    notes += [_kept(drops[text], found) for text in rejected if text in drops]
    lost = [created[name] for name in rejected if name in created]
    return replace(
        advice,
        # What the planner makes of the indexes that are left was not asked.
        cost_after=None if lost else advice.cost_after,
        bytes=None if advice.bytes is None else advice.bytes - _tried_bytes(lost),
        create=tuple(_judged(one, found) for one in kept),
        drop=tuple(_drop_judged(one, found) for one in dropped),
        notes=(*notes, *advice.notes),
        verification=found,
    )


def _tried_bytes(created: Iterable[CreatedIndex]) -> int:
    """The bytes of those that were chosen under a budget."""
    return sum(one.bytes or 0 for one in created if one.verified_by == "what-if")


def _named(created: Iterable[CreatedIndex]) -> Iterable[tuple[str, CreatedIndex]]:
    for one in created:
        name = _name(one)
        if name is not None:
            yield name, one


def _name(created: CreatedIndex) -> str | None:
    """The index's name; None for what cannot be tried, which stays as it was."""
    try:
        return trial_index(created.sql, "pg95_trial").name
    except NotTriableError:
        return None


def _weights(created: Iterable[CreatedIndex]) -> dict[str, float]:
    """How often statements run, as far as the advice knows."""
    return {
        gain.shape_id: gain.weight
        for one in created
        for gain in one.statements
        if gain.weight is not None
    }


def _scales(advice: IndexAdvice, bench: Bench, catalog: Catalog | None) -> list[Scale]:
    """The tables of the advice that have other sizes on the scratch server, or no statistics there."""
    named = {one.table for one in advice.create} | {one.table for one in advice.drop}
    known = [catalog.table(name) for name in sorted(named)] if catalog is not None else []
    tables = {table.name: table.rows for table in known if table is not None and table.rows}
    there = bench.rows(list(tables))
    return [
        Scale(name, rows, there[name])
        for name, rows in tables.items()
        if name in there and not _alike(rows, there[name])
    ]


def _alike(rows: int, there: float | None) -> bool:
    return there is not None and abs(rows - there) <= _ALIKE * rows


def _judged(created: CreatedIndex, found: Verification) -> CreatedIndex:
    """An index of the set, with what was measured of the statements that use it."""
    name = _name(created) or ""
    built = found.trial.built.get(name)
    if built is None or built.why_not is not None:
        why_not = built.why_not if built is not None else "it is not one CREATE INDEX"
        return replace(created, verification=f"not built: {why_not}")
    users = {one.shape_id: one for one in found.trial.statements if one.enough and name in one.used}
    created = replace(
        created,
        built_bytes=built.bytes,
        build_ms=built.build_ms,
        scaled_bytes=_scaled(built.bytes, created.table, found.scales),
    )
    if not users:
        unclear = any(name in one.used for one in found.trial.statements)
        said = "that use it ran often enough" if unclear else "that could be run used it"
        return replace(created, verification=f"built, and none of the statements {said}")
    gains = [
        replace(gain, before_ms=users[gain.shape_id].before, after_ms=users[gain.shape_id].after)
        if gain.shape_id in users
        else gain
        for gain in created.statements
    ]
    known = {gain.shape_id for gain in gains}
    gains += [
        StatementGain(shape, before_ms=one.before, after_ms=one.after)
        for shape, one in users.items()
        if shape not in known
    ]
    said = f"{len(users)} statements that use it were run without and with the whole set"
    said += _flag(name, found)
    return replace(created, statements=tuple(gains), verified_by="execution", verification=said)


def _scaled(there: int | None, table: str, scales: Sequence[Scale]) -> int | None:
    """An index's size for all rows of its table, as it grows with them; None where the table is as large there."""
    factor = next((one.factor for one in scales if one.table == table), None)
    return None if there is None or factor is None else round(there * factor)


def _drop_judged(dropped: DroppedIndex, found: Verification) -> DroppedIndex:
    """An index to drop, with what was measured of the statements that read it."""
    if dropped.sql not in found.trial.dropped:
        return dropped
    why_not = found.trial.dropped[dropped.sql]
    if why_not is not None:
        return replace(dropped, verification=f"not tried: {why_not}")
    planned = [one for one in found.trial.statements if one.why_not is None]
    readers = [one for one in planned if one.enough and dropped.sql in one.lost]
    if not readers:
        said = f"dropped there: none of {len(planned)} statements read it before"
        return replace(dropped, verification=said)
    said = f"{len(readers)} statements that read it were run with it and without"
    said += _flag(dropped.sql, found)
    return replace(dropped, verified_by="execution", verification=said)


def _flag(name: str, found: Verification) -> str:
    """That something is slower with what stays in the advice; nothing where it is not."""
    if name not in found.flagged:
        return ""
    slower = "; ".join(_times(one) for one in found.flagged[name])
    return f"; SLOWER WITH IT OR ANOTHER IN THEIR PLAN: {slower}"


def _rejection(created: CreatedIndex, name: str, found: Verification) -> IndexNote:
    slower = "; ".join(_times(one) for one in found.rejected[name])
    return IndexNote(
        "rejected",
        created.table,
        (name,),
        f"{name} was advised and makes a statement slower, so it is not: {slower}",
        created.sql if created.secret is None else None,  # its value is not to be shown
        created.bytes,
    )


def _kept(dropped: DroppedIndex, found: Verification) -> IndexNote:
    slower = "; ".join(_times(one) for one in found.rejected[dropped.sql])
    return IndexNote(
        "kept",
        dropped.table,
        (dropped.index,),
        f"{dropped.index} was to be dropped ({dropped.kind}) and a statement is slower without it, so it stays: "
        f"{slower}",
        dropped.sql,
        dropped.bytes,
    )


def _times(one: Measured) -> str:
    least = "at least " if one.ended else ""
    why = f": {one.surprise}" if one.surprise else ""
    return (
        f"{one.called} {one.before:.2f} ms to {least}{one.after:.2f} ms (median of "
        f"{len(one.before_ms)}){why}"
    )
