"""A set of indexes judged by running statements with it: what makes one slower is taken out of the set.

Of the indexes in a slower statement's plan, the one is to blame without which it is not slower.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from analyzer.model.explain import Sample
from analyzer.model.index_advice import CreatedIndex, IndexAdvice, IndexNote, StatementGain
from analyzer.model.verification import Bench, Measured, Trial, Verification
from analyzer.sql.trial_index import NotTriableError, trial_index


def verify(advice: IndexAdvice, samples: Sequence[Sample], bench: Bench) -> IndexAdvice:
    """The advice as measured: indexes without those that make a statement slower, with medians.

    An index that cannot be blamed for sure, for want of time, stays and is flagged.

    Raises:
        ServerError: the bench is gone.
    """
    named = dict(_named(advice.create))
    if not named:
        return advice
    trial = bench.measure([one.sql for one in named.values()], samples)
    by_shape = {sample.shape_id: sample for sample in samples}
    left = dict(named)
    rejected: dict[str, list[Measured]] = {}
    while (worse := _worse(trial)) and bench.time_left():
        culprit = _culprit(worse[0], by_shape[worse[0].shape_id], left, bench)
        if culprit is None:
            break
        rejected[culprit] = [one for one in worse if culprit in one.used]
        del left[culprit]
        trial = bench.measure([one.sql for one in left.values()], samples)
    flagged = {
        name: blamed
        for name in left
        if (blamed := [one for one in _worse(trial) if name in one.used])
    }
    found = Verification(bench.origin, trial, rejected, flagged)
    kept = [one for one in advice.create if _name(one) not in rejected]
    return replace(
        advice,
        create=tuple(_judged(one, found) for one in kept),
        drop=tuple(one for one in advice.drop if one.covered_by not in rejected),
        notes=(*(_rejection(named[name], name, found) for name in rejected), *advice.notes),
        verification=found,
    )


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


def _worse(trial: Trial) -> list[Measured]:
    """Statements that got slower by an index in their plan, the worst first."""
    worse = [one for one in trial.statements if one.worse and one.used]
    return sorted(worse, key=lambda one: one.before - one.after)


def _culprit(
    worst: Measured, sample: Sample, left: dict[str, CreatedIndex], bench: Bench
) -> str | None:
    """Which index makes the statement slower, None where none alone does."""
    if len(worst.used) == 1:
        return next(iter(worst.used))
    for name in sorted(worst.used):
        if not bench.time_left():
            return None
        others = [one.sql for other, one in left.items() if other != name]
        (again,) = bench.measure(others, [sample]).statements
        if again.enough and not again.worse:
            return name
    return None


def _judged(created: CreatedIndex, found: Verification) -> CreatedIndex:
    """An index of the set, with what was measured of the statements that use it."""
    name = _name(created) or ""
    built = found.trial.built.get(name)
    if built is None or built.why_not is not None:
        why_not = built.why_not if built is not None else "it is not one CREATE INDEX"
        return replace(created, verification=f"not built: {why_not}")
    users = {one.shape_id: one for one in found.trial.statements if one.enough and name in one.used}
    created = replace(created, built_bytes=built.bytes, build_ms=built.build_ms)
    if not users:
        return replace(
            created, verification="built, and none of the statements that could be run used it"
        )
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
    if name in found.flagged:
        slower = "; ".join(_times(one) for one in found.flagged[name])
        said += f"; SLOWER WITH IT OR ANOTHER IN THEIR PLAN: {slower}"
    return replace(created, statements=tuple(gains), verified_by="execution", verification=said)


def _rejection(created: CreatedIndex, name: str, found: Verification) -> IndexNote:
    slower = "; ".join(_times(one) for one in found.rejected[name])
    return IndexNote(
        "rejected",
        "",
        (name,),
        f"{name} was advised and makes a statement slower, so it is not: {slower}",
        created.sql,
        created.bytes,
    )


def _times(one: Measured) -> str:
    return (
        f"{one.shape_id} {one.before:.2f} ms to {one.after:.2f} ms (median of {len(one.before_ms)})"
    )
