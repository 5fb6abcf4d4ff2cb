"""The doctor's lines for people: ✓, ! or ✗, and below each the commands that fix it."""

import textwrap
from collections.abc import Iterable, Iterator

from analyzer.model.diagnosis import Diagnosis, LoggingPlan, LogOption

_SIGNS = {"ok": "✓", "warning": "!", "missing": "✗"}
_WIDTH = 110
_UNITS = (("GB", 2**30), ("MB", 2**20), ("kB", 2**10))


def checks_text(diagnosis: Diagnosis) -> str:
    """All checks, and a line on what is essential and missing."""
    lines = [f"{diagnosis.server}, PostgreSQL {diagnosis.version}"]
    if diagnosis.provider is not None:
        provider = diagnosis.provider
        lines += _wrapped(
            "  ",
            f"{provider.name} ({', '.join(provider.evidence)}). Logs: {provider.logs}. ALTER SYSTEM is "
            f"not available there; settings are changed in {provider.settings}. (From its "
            "documentation, not tried there.)",
        )
    for check in diagnosis.checks:
        lines += _wrapped(f"{_SIGNS[check.status]} ", check.text)
        lines += [f"      {fix}" for fix in check.fixes]
    lacking = diagnosis.lacking
    better = sum(check.status == "warning" for check in diagnosis.checks)
    last = "Nothing essential is missing."
    if lacking:
        names = ", ".join(check.id for check in lacking)
        last = f"Essential and missing, so that no verdict is sure: {names}."
    return "\n".join([*lines, "", f"{last} Could be better: {better}."])


def plan_text(plan: LoggingPlan) -> str:
    """The logging plan: a table of settings, the one to choose, and what stays unseen."""
    return "\n".join(_plan_lines(plan))


def _plan_lines(plan: LoggingPlan) -> Iterator[str]:
    yield (
        f"Logging plan for {size(plan.budget_bytes)} a day, target {plan.target_ms:g} ms, "
        f"{plan.protocol} protocol"
    )
    yield f"  {plan.calls_per_day:,.0f} executions a day, counted over {plan.days:.1f} days"
    yield ""
    yield f"  {'log_min_duration_statement':<40}{'bytes a day':<30}{'logged':>8}  {'P95':<11}fits"
    for option in plan.options:
        mark = "→ " if option is plan.chosen else "  "
        yield f"{mark}{_named(option):<40}{_volume(option):<30}{option.logged:>8.2%}  {option.decides:<11}{option.fits}"
    yield ""
    if plan.chosen is not None:
        yield "To choose it:"
        yield from _commands(plan.chosen.commands)
        if plan.narrower:
            yield "or for the busiest role or database alone (new sessions):"
            yield from _commands(plan.narrower)
        yield "To take it back:"
        yield from _commands(plan.revert)
    window = plan.window
    yield ""
    if window.open:
        length = (
            f"{minutes(window.minutes)}, up to {size(window.bytes)}"
            if window.minutes
            else "a few minutes"
        )
        yield f"A window with everything, for loops (N+1): {length}; {window.reason}"
        yield from _commands([*window.open, "-- wait, then:", *window.revert])
    else:
        yield f"No window is needed: {window.reason}"
    yield ""
    yield "What stays unseen:"
    for text in plan.unseen:
        yield from _wrapped("  - ", text)
    yield "Mind:"
    for text in plan.caveats:
        yield from _wrapped("  - ", text)


def minutes(number: int) -> str:
    """A number of minutes in words."""
    return "one minute" if number == 1 else f"{number} minutes"


def size(number: float) -> str:
    """Bytes in the unit that suits them."""
    for unit, one in _UNITS:
        if number >= one:
            return f"{number / one:.1f} {unit}"
    return f"{number:.0f} B"


def _named(option: LogOption) -> str:
    if option.from_ms < 0:
        return f"-1, and {option.rate:.2%} of all"
    beside = f", and {option.rate:.2%} of the others" if option.rate else ""
    return f"{option.from_ms:g} ms{beside}" if option.from_ms else "0 (everything)"


def _volume(option: LogOption) -> str:
    if option.low_bytes == option.high_bytes:
        return size(option.likely_bytes)
    return f"{size(option.likely_bytes)} ({size(option.low_bytes)} – {size(option.high_bytes)})"


def _commands(commands: Iterable[str]) -> Iterator[str]:
    return (f"      {command}" for command in commands)


def _wrapped(sign: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=sign,
        subsequent_indent=" " * len(sign),
        break_long_words=False,
        break_on_hyphens=False,
    )
