"""Plans that a worker hands on: the run keeps what it would have kept, and counts the others."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.plan import PlanShelf, RecordedPlan
from analyzer.sources.workers.child import _PlansToTell

PARTS = st.lists(  # of each plan: its statement, its time, its text
    st.lists(
        st.tuples(
            st.integers(-1, 2), st.sampled_from([1.0, 2.0, 2.5, 7.0, 9.0]), st.integers(0, 9)
        ),
        max_size=60,
    ),
    max_size=4,
)


def offered(shelf: PlanShelf, source: int, plan: tuple[int, float, int]) -> None:
    """As a reader offers a plan (EntrySink.planned)."""
    key, duration_ms, number = plan
    text = f"Seq Scan on t{number}"
    if not shelf.turns_away(key, duration_ms, source, text):
        shelf.append(
            RecordedPlan(text, "text", "a.log", source, duration_ms=duration_ms, statement_key=key)
        )


class SmallShelf(PlanShelf):
    """A run's shelf that may be full."""

    MOST = 11


@given(PARTS)
def test_what_parts_tell_is_what_the_run_keeps(parts: list[list[tuple[int, float, int]]]) -> None:
    whole, told = SmallShelf(), SmallShelf()
    for source, plans in enumerate(parts):
        part = _PlansToTell()
        for plan in plans:
            offered(whole, source, plan)
            offered(part, source, plan)
        for one in part.taken:
            told.append(one)
        told.left_out += part.left_out
    assert list(told) == list(whole)
    assert told.left_out == whole.left_out
