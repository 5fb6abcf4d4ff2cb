"""Advice verified, and made anew without what was rejected: the room that this leaves may serve others.

What is advised then is verified, too. Of the sets that were measured to the end, and in which no statement is slower, that
one stands which saves most time; another one only where there is none of these. A set that saves more by no more than
what the times of its own executions differ by does not take the place of an earlier one.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from math import sqrt
from typing import Protocol

from analyzer.model.index_advice import CreatedIndex, IndexAdvice
from analyzer.model.verification import Measured

_AGAIN = 3  # times at most that advice is made anew
_MORE = 0.95  # of what the workload costs with the careful set: what a bolder one has to promise to be tried

Judge = Callable[[IndexAdvice], IndexAdvice]


class Advise(Protocol):
    """Makes advice without indexes of these names; careful, or by what the planner promises (indexes/loops.py)."""

    def __call__(self, without: frozenset[str], *, careful: bool) -> IndexAdvice:
        """Do it."""


def settled(advise: Advise, judge: Judge) -> IndexAdvice:
    """The best of what was verified, with everything that was rejected on the way.

    Careful advice comes first: it is verified soonest, because little of it is rejected. Where the planner promises
    more, and there is time, that is measured as well.

    Args:
        advise: makes advice.
        judge: verifies advice (verified.py), as long as there is time.
    """
    first = advise(frozenset(), careful=True)
    best = judge(first)
    rejected = _rejected(best)
    for _ in range(_AGAIN):
        if not _may_go_on(best) or not rejected:
            break
        again = _judged(best, advise(rejected, careful=True), rejected, judge)
        if again is None:
            break
        more = _rejected(again) - rejected
        best = _better(best, again)
        if not more or not _may_go_on(again):
            break  # nothing new was learnt, or time is up
        rejected |= more
    if _may_go_on(best) or not first.create:
        bold = advise(rejected, careful=False)
        if (bold.cost_after or 0.0) < _MORE * (first.cost_after or 0.0):
            again = _judged(best, bold, rejected, judge)
            best = best if again is None else _better(best, again)
    return best


def _may_go_on(judged: IndexAdvice) -> bool:
    """Whether there was something to measure, and time is left."""
    return judged.verification is not None and judged.verification.finished


def _judged(
    best: IndexAdvice, advice: IndexAdvice, rejected: Collection[str], judge: Judge
) -> IndexAdvice | None:
    """Other advice as measured; None where it has nothing that the best so far does not have."""
    made = _without(advice, rejected)
    return None if _names(made.create) <= _names(best.create) else judge(made)


def _better(best: IndexAdvice, again: IndexAdvice) -> IndexAdvice:
    """The later set where it is known to make nothing slower and the best so far is not, or saves more beyond noise."""
    if best.verification is None:
        return again  # there was nothing to measure in the best so far
    clean, was_clean = _is_clean(again), _is_clean(best)
    better = _saves_more(again, best) if clean == was_clean else clean
    return _with_rejected(again, best) if better else _with_rejected(best, again)


def _names(created: Collection[CreatedIndex]) -> set[str]:
    return {one.name for one in created}


def _rejected(advice: IndexAdvice) -> frozenset[str]:
    """The indexes to create that were rejected, by name."""
    return frozenset(
        name for note in advice.notes if note.kind == "rejected" for name in note.indexes
    )


def _without(advice: IndexAdvice, names: Collection[str]) -> IndexAdvice:
    """The advice without indexes of these names, which rules may have brought, and what they bring."""
    return replace(
        advice,
        create=tuple(one for one in advice.create if one.name not in names),
        drop=tuple(one for one in advice.drop if one.covered_by not in names),
    )


def _is_clean(advice: IndexAdvice) -> bool:
    """Whether it is known to make nothing slower."""
    found = advice.verification
    return found is not None and found.finished and not found.flagged


def _saves_more(again: IndexAdvice, best: IndexAdvice) -> bool:
    """Whether statements save more by one set than by another, each as often as it runs, beyond noise.

    The two were measured one after the other, on a machine that may have been busy for one of them. So what is compared is
    the share of its time that a statement takes with each, pair by pair, of the least that it took without any.
    """
    weights = _weights(best) | _weights(again)
    now, then = _measured(again), _measured(best)
    saved, noise = 0.0, 0.0
    for shape_id in {**then, **now}:
        both = [some[shape_id] for some in (now, then) if shape_id in some]
        if len({(one.before_ms, one.after_ms) for one in both}) < len(both):
            continue  # the same plan, that was not run again
        weight = weights.get(shape_id, 1.0) * min(one.before for one in both)
        (share, apart), (was, was_apart) = _share(now.get(shape_id)), _share(then.get(shape_id))
        saved += weight * (was - share)
        noise += (weight * max(apart, was_apart)) ** 2
    return saved > sqrt(noise)


def _weights(advice: IndexAdvice) -> dict[str, float]:
    """How often statements run."""
    return {gain.shape_id: gain.weight or 1.0 for one in advice.create for gain in one.statements}


def _measured(advice: IndexAdvice) -> dict[str, Measured]:
    """The statements that have another plan with the advice and ran often enough, by shape."""
    measured = advice.verification.trial.statements if advice.verification else ()
    return {one.shape_id: one for one in measured if one.enough and not one.same_plan}


def _share(one: Measured | None) -> tuple[float, float]:
    """What part of its time a statement takes, and how far pairs differ; all of it where the set makes no difference."""
    return (1.0, 0.0) if one is None else (one.share, one.share_noise)


def _with_rejected(better: IndexAdvice, worse: IndexAdvice) -> IndexAdvice:
    """The better one, which also tells what the other one had and does not stand."""
    if better.verification is None or worse.verification is None:
        return better
    known = {(note.kind, note.indexes) for note in better.notes}
    advised = _names(better.create)
    told = [
        note
        for note in worse.notes
        if note.kind == "rejected"
        and (note.kind, note.indexes) not in known
        and not advised.intersection(note.indexes)
    ]
    named = {name for note in told for name in note.indexes}
    rejected = {
        name: some for name, some in worse.verification.rejected.items() if name in named
    } | dict(better.verification.rejected)
    found = replace(better.verification, rejected=rejected)
    return replace(better, notes=(*told, *better.notes), verification=found)
