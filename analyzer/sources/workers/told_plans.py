"""Plans on their way to the run's shelf: what a worker hands on, and what it need not."""

import sys
from collections.abc import Mapping, Sequence

from analyzer.model.plan import PlanShelf, RecordedPlan


class EarlierPlans:
    """How slow plans have to be, by the parts that a process has read: of each statement, by its safe key.

    A part heeds that only if it begins when all of them have ended: the run is told of its plans behind theirs then, and
    has as many of theirs as it keeps. Else which plans stay may hang on the order.
    """

    def __init__(self) -> None:
        self._floors: dict[str, float] = {}
        self._latest_us = 0

    def known_at(self, first_us: int | None) -> Mapping[str, float]:
        """By safe key the time (ms) that plans of a part take at least that stay; `first_us` is its first time."""
        return self._floors if first_us is not None and first_us >= self._latest_us else {}

    def add(self, shelf: "PlansToTell", safe_keys: Sequence[str], latest_us: int) -> None:
        """Heed the plans of a part that was read; `safe_keys` are the keys by their numbers there."""
        self._latest_us = max(self._latest_us, latest_us)
        found = {safe_keys[number]: shelf.floor(number) for number in shelf.statements}
        self._floors = {**self._floors, **found}


class PlansToTell(PlanShelf):
    """All plans of a part that the run may keep, or know again.

    What is faster than as many as stay, of this part or of earlier ones (`known`), is turned away and counted, as it
    would be there.
    """

    MOST = sys.maxsize  # that bound is the run's

    def __init__(self, known: Mapping[str, float], safe_keys: Sequence[str]) -> None:
        super().__init__()
        self.taken: list[RecordedPlan] = []
        self._known = known
        self._safe_keys = safe_keys

    @property
    def statements(self) -> list[int]:
        """The numbers of the keys of all statements that have plans."""
        return [number for number in self._logged if number >= 0]

    def floor(self, statement_key: int) -> float:
        """As in the base class."""
        here = super().floor(statement_key)
        if statement_key < 0:
            return here
        return max(here, self._known.get(self._safe_keys[statement_key], -1.0))

    def turns_away(self, statement_key: int, duration_ms: float, source: int, text: str) -> bool:  # noqa: ARG002 - as the base class
        """As in the base class."""
        if duration_ms >= self.floor(statement_key):
            return False
        self.left_out += 1
        return True

    def append(self, plan: RecordedPlan) -> None:
        """Keep the plan, and hand it on: what is let go of for it is counted where both get to."""
        left_out = self.left_out
        super().append(plan)
        self.left_out = left_out
        self.taken.append(plan)
