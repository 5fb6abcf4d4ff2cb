"""Advice made anew without what was rejected, and which of the measured sets stands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from analyzer.errors import WhatIfError
from analyzer.indexes.making import Maker
from analyzer.indexes.remembered import Answers, Remembered
from analyzer.indexes.settled import settled
from analyzer.model.catalog import Column, Table
from analyzer.model.index_advice import CreatedIndex, IndexAdvice, IndexNote
from analyzer.model.index_candidate import IndexKey
from analyzer.model.verification import Measured, Trial, Verification
from analyzer.model.what_if import PlanEstimate, PlannedStatement

MAKER = Maker(Table("t", (Column("a", "integer"),)), None)
SLOWER = Measured("slow", (10.0,) * 4, (20.0,) * 4)


def created(name: str) -> CreatedIndex:
    return CreatedIndex(f"CREATE INDEX {name} ON t (a);", 8, (), {}, "what-if", "", "", name=name)


def advising(
    sets: Sequence[str], asked: list[frozenset[str]], bold: str | None = None
) -> Callable[..., IndexAdvice]:
    """Gives the next of these sets, however often it is asked without what; the bold one where it need not be careful."""
    left = iter(sets)

    def advise(without: frozenset[str], *, careful: bool) -> IndexAdvice:
        if careful:
            asked.append(without)
        names = next(left) if careful else bold or ""
        cost = 100.0 if careful or bold is None else 90.0
        return IndexAdvice(create=tuple(created(name) for name in names), cost_after=cost)

    return advise


def judging(
    bad: str, saved: Mapping[str, float], *, finished: bool = True
) -> Callable[[IndexAdvice], IndexAdvice]:
    """Rejects the bad ones; each of the others saves so many ms."""

    def judge(advice: IndexAdvice) -> IndexAdvice:
        gone = [one.name for one in advice.create if one.name in bad]
        kept = [one for one in advice.create if one.name not in bad]
        measured = [
            Measured(one.name, (100.0,) * 3, (100.0 - saved.get(one.name, 0.0),) * 3)
            for one in kept
        ]
        return IndexAdvice(
            create=tuple(kept),
            notes=tuple(IndexNote("rejected", "t", (name,), name) for name in gone),
            verification=Verification(
                "s", Trial({}, measured), {name: [SLOWER] for name in gone}, finished=finished
            ),
        )

    return judge


def run(
    sets: Sequence[str],
    bad: str,
    saved: Mapping[str, float],
    *,
    finished: bool = True,
    bold: str | None = None,
) -> tuple[str, set[str], list[frozenset[str]]]:
    asked: list[frozenset[str]] = []
    found = settled(advising(sets, asked, bold), judging(bad, saved, finished=finished))
    assert found.verification is not None
    noted = {name for note in found.notes for name in note.indexes}
    assert noted == set(found.verification.rejected)
    return "".join(one.name for one in found.create), noted, asked[1:]


def test_room_that_a_rejected_index_leaves_serves_another() -> None:
    found = run(["ax", "abc"], "x", {"a": 10, "b": 20, "c": 5})
    assert found == ("abc", {"x"}, [frozenset("x")])


def test_it_goes_on_until_nothing_new_is_advised_or_rejected() -> None:
    saved = {"a": 10.0, "b": 20.0}
    assert run(["ax", "aby", "ab"], "xy", saved) == ("ab", {"x", "y"}, [{"x"}, {"x", "y"}])
    assert run(["ab", "never"], "", saved) == ("ab", set(), [])


def test_the_set_that_saves_most_stands() -> None:
    """What it does without is told where it was rejected, and only there."""
    name, noted, _ = run(["ax", "by", "a"], "xy", {"a": 30, "b": 20})
    assert (name, noted) == ("a", {"x", "y"})


def test_a_set_that_time_left_unmeasured_does_not_replace_one_that_stands() -> None:
    asked: list[frozenset[str]] = []
    advise = advising(["ax", "abcy", "abc"], asked)
    saved = {"a": 10.0, "b": 20.0}
    judges = iter([judging("x", saved), judging("xy", saved, finished=False)])

    def judge(advice: IndexAdvice) -> IndexAdvice:
        return next(judges)(advice)

    found = settled(advise, judge)
    assert [one.name for one in found.create] == ["a"]
    assert len(asked) == 2


def test_what_the_planner_promises_more_of_is_tried_last_and_stands_if_it_saves_more() -> None:
    saved = {"a": 10.0, "b": 20.0}
    assert run(["a"], "", saved, bold="ab") == ("ab", set(), [])
    assert run(["a"], "", saved, bold="b") == ("b", set(), [])
    assert run(["b"], "x", saved, bold="ax") == ("b", {"x"}, [])
    assert run(["ax", "ab"], "x", saved, bold="abx") == ("ab", {"x"}, [{"x"}])
    assert run(["a"], "", saved, bold="ab", finished=False) == ("a", set(), [])


def test_a_promise_is_measured_where_careful_advice_has_nothing() -> None:
    judge = judging("x", {"a": 10.0})
    found = settled(
        advising([""], [], "ax"), lambda advice: judge(advice) if advice.create else advice
    )
    assert [one.name for one in found.create] == ["a"]
    assert found.verification is not None
    assert set(found.verification.rejected) == {"x"}


@pytest.mark.parametrize(
    ("then", "now", "stands"),
    [
        # Shares of 0.4, 0.5, 0.6 of its time, and 0.3, 0.42, 0.5: less than they lie apart.
        (((10, 10, 10), (4, 5, 6)), ((10, 10, 10), (3, 4.2, 5)), "a"),
        (((10, 10, 10), (4, 5, 6)), ((10, 10, 10), (1, 1, 1)), "b"),
        # A machine that is busy for one of the two: four times the time, on both sides.
        (((10, 10, 10), (5, 5, 5)), ((40, 40, 40), (20, 20, 20)), "a"),
        (((40, 40, 40), (10, 10, 10)), ((10, 10, 10), (3, 3, 3)), "a"),
        (((40, 40, 40), (10, 10, 10)), ((10, 10, 10), (2, 2, 2)), "b"),
    ],
)
def test_a_set_that_saves_more_by_chance_does_not_replace_another(
    then: tuple[tuple[float, ...], ...], now: tuple[tuple[float, ...], ...], stands: str
) -> None:
    times = {"a": Measured("s", *then), "b": Measured("s", *now)}

    def judge(advice: IndexAdvice) -> IndexAdvice:
        trial = Trial({}, [times[one.name] for one in advice.create])
        return replace(advice, verification=Verification("s", trial))

    found = settled(advising(["a"], [], "b"), judge)
    assert [one.name for one in found.create] == [stands]


def test_rules_that_advise_a_rejected_index_again_are_not_followed() -> None:
    assert run(["ax", "ax"], "x", {"a": 30}) == ("a", {"x"}, [{"x"}])


def test_without_time_left_nothing_is_made_anew() -> None:
    assert run(["ax", "abc"], "x", {"a": 30}, finished=False) == ("a", {"x"}, [])


def test_a_planner_is_asked_once_for_all_advice_of_a_run() -> None:
    asked = PlanEstimate(7.0, frozenset())

    class Planner:
        method, calls = "hypopg", 0

        def estimate(self, *_question: object) -> PlanEstimate:
            self.calls += 1
            if self.calls == 1:
                raise WhatIfError("not now")
            return asked

        def size_bytes(self, _index: object) -> int | None:
            self.calls += 100
            return 5

        def refused(self, _index: object) -> str | None:
            return None

        def close(self) -> None:
            pass

    answers, index = Answers(), MAKER.make([IndexKey("a", "equality")])
    question = PlannedStatement("s", "SELECT 1")
    with pytest.raises(WhatIfError):
        Remembered(Planner(), answers).estimate(question, [index])
    planner = Planner()
    planner.calls = 7
    again = Remembered(planner, answers)
    assert again.estimate(question, [index]) == again.estimate(question, [index]) == asked
    assert (planner.calls, again.calls) == (8, 2)
    assert again.estimate(question, []) == asked
    assert (planner.calls, again.calls) == (9, 3)
    assert again.size_bytes(index) == again.size_bytes(index) == 5
    assert (planner.calls, again.refused(index)) == (109, None)
