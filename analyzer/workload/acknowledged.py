"""What is to be said of acknowledgements: those that ended, and those that nothing has any more."""

from collections.abc import Sequence

from analyzer.model.acknowledgement import Acknowledgements
from analyzer.model.finding import Finding
from analyzer.model.workload import Workload


def note_acknowledged(
    findings: Sequence[Finding], known: Acknowledgements, workload: Workload
) -> None:
    """Say which entries are over, and which no finding has (any more)."""
    warnings = workload.coverage.warnings
    for finding in findings:
        if finding.acknowledged is not None and finding.acknowledged.expired:
            entry = finding.acknowledged.acknowledgement
            warnings.append(
                f"{entry.origin}:{entry.line}: the acknowledgement of {entry.key} ended on "
                f"{entry.until}, so it counts again: fix it, or give a new --until"
            )
    unused = known.unused([finding.key for finding in findings])
    if unused:
        names = ", ".join(entry.key for entry in unused[:5])
        more = f" and {len(unused) - 5} more" if len(unused) > 5 else ""  # noqa: PLR2004 - as many as are named
        warnings.append(
            f"{unused[0].origin}: acknowledged, and no finding here has the key: {names}{more} "
            "(fixed, mistyped, or not in this input; `pg95 ack --remove KEY` takes one out)"
        )
