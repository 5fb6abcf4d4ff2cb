"""Plans that a worker hands on: the run keeps what it would have kept, and counts the others."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.plan import PlanShelf, RecordedPlan
from analyzer.sources.workers.told_plans import EarlierPlans, PlansToTell

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


KEYS = ["SELECT ?", "SELECT a", "SELECT b"]


@given(PARTS)
def test_what_parts_tell_is_what_the_run_keeps(parts: list[list[tuple[int, float, int]]]) -> None:
    whole, told, earlier = SmallShelf(), SmallShelf(), EarlierPlans()
    for source, plans in enumerate(parts):
        part = PlansToTell(earlier.known_at(10 * source + 1), KEYS)
        for plan in plans:
            offered(whole, source, plan)
            offered(part, source, plan)
        earlier.add(part, KEYS, 10 * source + 10)
        for one in part.taken:
            told.append(one)
        told.left_out += part.left_out
    assert list(told) == list(whole)
    assert told.left_out == whole.left_out


def test_plans_of_an_earlier_part_spare_those_of_a_later_one_alone() -> None:
    earlier = EarlierPlans()
    first = PlansToTell(earlier.known_at(100), KEYS)
    for number in range(PlanShelf.PLANS_KEPT):
        offered(first, 0, (1, 5.0 + number, number))
    earlier.add(first, KEYS, 200)
    for first_us, left_out in ((200, 1), (199, 0), (None, 0)):
        part = PlansToTell(earlier.known_at(first_us), KEYS)
        offered(part, 1, (1, 4.0, 9))  # too fast
        offered(part, 1, (1, 5.0, 9))
        offered(part, 1, (0, 4.0, 9))
        assert part.left_out == left_out
        assert len(part.taken) == 3 - left_out
