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


@given(given_plans=st.lists(plans, max_size=60))
def test_what_is_turned_away_would_not_have_stayed(given_plans: list[RecordedPlan]) -> None:
    whole, spared = PlanShelf(), PlanShelf()
    for plan in given_plans:
        whole.append(plan)
        if not spared.turns_away(
            plan.statement_key, plan.duration_ms or 0.0, plan.source, plan.text
        ):
            spared.append(plan)
    assert list(spared) == list(whole)
    assert (spared.left_out, len(spared)) == (whole.left_out, len(whole))


def test_faster_plans_are_turned_away() -> None:
    shelf = PlanShelf()
    for ms in range(PlanShelf.PLANS_KEPT):
        assert not shelf.turns_away(1, 10.0 + ms, 0, "p")
        shelf.append(RecordedPlan("p", "text", "log", 0, duration_ms=10.0 + ms, statement_key=1))
    assert shelf.turns_away(1, 5.0, 0, "p")
    assert not shelf.turns_away(1, 50.0, 0, "p")
    assert shelf.left_out == 1
