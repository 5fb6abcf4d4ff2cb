"""Which plans of a log stay."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.plan import PlanShelf, RecordedPlan

plans = st.builds(
    RecordedPlan,
    text=st.sampled_from(["a", "b"]),
    format=st.just("text"),
    origin=st.just("log"),
    source=st.integers(0, 2),
    duration_ms=st.integers(0, 12).map(float),
    statement_key=st.integers(-1, 1),
)


class SmallShelf(PlanShelf):
    """So small that few plans fill it."""

    UNKNOWN_KEPT = 4
    MOST = 12


@given(given_plans=st.lists(plans, max_size=60))
def test_what_is_turned_away_would_not_have_stayed(given_plans: list[RecordedPlan]) -> None:
    whole, spared = SmallShelf(), SmallShelf()
    for plan in given_plans:
        whole.append(plan)
        if not spared.turns_away(
            plan.statement_key, plan.duration_ms or 0.0, plan.source, plan.text
        ):
            spared.append(plan)
    assert list(spared) == list(whole)
    assert (spared.left_out, len(spared)) == (whole.left_out, len(whole))
    assert len(whole) == len(list(whole)) <= SmallShelf.MOST


def test_faster_plans_are_turned_away() -> None:
    shelf = PlanShelf()
    for ms in range(PlanShelf.PLANS_KEPT):
        assert not shelf.turns_away(1, 10.0 + ms, 0, "p")
        shelf.append(RecordedPlan("p", "text", "log", 0, duration_ms=10.0 + ms, statement_key=1))
    assert shelf.turns_away(1, 5.0, 0, "p")
    assert not shelf.turns_away(1, 50.0, 0, "p")
    assert shelf.left_out == 1


def test_of_plans_without_their_statement_the_slowest_of_a_log_stay_and_all_files() -> None:
    shelf = SmallShelf()
    for ms in (5.0, 9.0, 1.0, 7.0, 3.0, 8.0):
        shelf.append(RecordedPlan(str(ms), "text", "log", 0, duration_ms=ms))
    for number in range(20):
        shelf.append(RecordedPlan(str(number), "text", "file", number + 1))
    assert sorted(plan.duration_ms for plan in shelf if plan.duration_ms) == [5.0, 7.0, 8.0, 9.0]
    assert len(shelf) == 24
    assert shelf.turns_away(-1, 4.0, 0, "p")
    assert not shelf.turns_away(-1, 50.0, 0, "p")
