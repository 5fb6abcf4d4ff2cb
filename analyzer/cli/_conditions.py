"""--fail-on: the conditions that end a command with 1, and whether they hold."""

from typing import Any

from analyzer.cli._failures import CONDITION
from analyzer.errors import UsageError

_COMPARING = {"new", "regression"}
FAIL_ON = ("never", "target", "requests", "findings", "new", "regression")


def fail_conditions(
    text: str, *, compares: bool = False, among: tuple[str, ...] = FAIL_ON
) -> set[str]:
    """The conditions of --fail-on, of those that a command knows; `compares`: it has an earlier run.

    Raises:
        UsageError: one is unknown, or needs an earlier run to compare with.
    """
    wanted = {part.strip() for part in text.split(",") if part.strip()}
    unknown = wanted - set(among)
    if unknown:
        raise UsageError(f"--fail-on {', '.join(sorted(unknown))}: choose from {', '.join(among)}")
    if wanted & _COMPARING and not compares:
        raise UsageError(
            "--fail-on new and regression compare with earlier runs: use pg95 report with --history, or pg95 diff"
        )
    return wanted - {"never"}


def exit_code(document: dict[str, Any], conditions: set[str], *, slower: bool | None = None) -> int:
    """0, or 1 if a condition of --fail-on holds: an unknown verdict counts as missed.

    `slower`: whether a statement got slower, where that is judged by more than the document's changes.
    """
    target = document["target"]
    request = target["request"]
    counted = [
        one
        for one in document["findings"]
        if one["severity"] != "info" and one["status"] not in ("acknowledged", "gone")
    ]
    if slower is None:
        slower = any(change["slower"] for change in document.get("changes", ()))
    holds = {
        "target": target["verdict"] != "met",
        "requests": request is None or request["verdict"] != "met",
        "findings": bool(counted),
        "new": any(one["status"] == "new" for one in counted),
        "regression": slower,
    }
    return CONDITION if any(holds[one] for one in conditions) else 0
