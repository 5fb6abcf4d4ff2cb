"""Logs of statements that take time, for the tests of detectors that read texts.

The statements are what programs write (`Ran.sql`); times and calls are what a test is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.model.finding import Finding, Outcome
from analyzer.pipeline import Options, Result, run

_START = "2026-03-01 10:{:02}:{:02}.{:03} UTC [{}] app@shop/web "
REST = "SELECT total FROM invoices WHERE number = 17"  # what the rest of the time goes into


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement as it ran: `calls` times, `ms` each, with the DETAIL `parameters` if bound."""

    sql: str
    ms: float = 40.0
    calls: int = 10
    parameters: str | None = None


def analysed(folder: Path, statements: Sequence[Ran], schema: str | None = None) -> Result:
    """What pg95 makes of a log in which they ran, each execution on its own connection."""
    log = folder / "postgresql.log"
    lines = []
    ran = [one for one in statements for _ in range(one.calls)]
    for number, one in enumerate(ran):
        minute, second = divmod(number, 60)
        start = _START.format(minute, second, 0, 4000 + number)
        form = "execute <unnamed>" if one.parameters else "statement"
        lines.append(f"{start}LOG:  duration: {one.ms:.3f} ms  {form}: {one.sql}\n")
        if one.parameters:
            lines.append(f"{start}DETAIL:  Parameters: {one.parameters}\n")
    log.write_text("".join(lines), encoding="utf-8")
    ddl = None
    if schema is not None:
        ddl = folder / "schema.sql"
        ddl.write_text(schema, encoding="utf-8")
    return run(Options(inputs=[str(log)], schema=str(ddl) if ddl else None))


def outcome(
    folder: Path, detector: str, statement: Ran | str, schema: str | None = None
) -> Outcome:
    """A detector's answer where one statement takes half of the time."""
    one = Ran(statement) if isinstance(statement, str) else statement
    rest = Ran(REST, ms=one.ms, calls=max(one.calls, 10))
    return analysed(folder, [one, rest], schema).outcomes[detector]


def found(folder: Path, detector: str, statement: Ran | str, schema: str | None = None) -> Finding:
    """The one finding of a detector, with its advice."""
    one = Ran(statement) if isinstance(statement, str) else statement
    rest = Ran(REST, ms=one.ms, calls=max(one.calls, 10))
    result = analysed(folder, [one, rest], schema)
    (finding,) = [finding for finding in result.findings if finding.detector == detector]
    return finding
