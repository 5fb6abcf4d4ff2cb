"""All plans of a recording as trees; what can't be read is told."""

from analyzer.errors import InputError
from analyzer.model.plan import Plan, PlanShelf
from analyzer.model.recording import Recording
from analyzer.plans.reader import PartlyUnreadError, read_plans


def read_recorded(recording: Recording) -> list[Plan]:
    """All plans that can be read; what can't is a warning, once for each input and reason."""
    plans: list[Plan] = []
    failures: dict[tuple[str, str], list[str]] = {}
    for recorded in recording.plans:
        try:
            plans += read_plans(recorded)
        except InputError as error:
            if isinstance(error, PartlyUnreadError):
                plans += error.plans
            _where, _, reason = str(error).removeprefix(recorded.origin).partition(": ")
            failures.setdefault((recorded.origin, reason), []).append(str(error))
    if recording.plans.left_out:
        recording.coverage.warnings.append(
            f"{recording.plans.left_out} plans of auto_explain were left out: of each statement "
            f"the {PlanShelf.PLANS_KEPT} slowest are read, of those without their statement the "
            f"{PlanShelf.UNKNOWN_KEPT} slowest, {PlanShelf.MOST:,} in all"
        )
    for (origin, reason), messages in failures.items():
        told = messages[0] if len(messages) == 1 else f"{origin}: {len(messages)} times: {reason}"
        recording.coverage.warnings.append(f"not every plan was read: {told}")
    return plans
