"""What `pg95 report` says when it is done: verdict, the three things to do, where the report is."""

from collections.abc import Sequence
from typing import Any


def summary(document: dict[str, Any], outputs: Sequence[str]) -> str:
    """A few lines for a terminal, from the document alone."""
    from analyzer.report import wording
    from analyzer.report.formats import one_line, plural

    lines = [one_line(wording.headline(document))]
    findings = wording.open_findings(document)
    accepted = len(wording.acknowledged(document))
    beside = f" ({accepted} acknowledged)" if accepted else ""
    lines += [
        "",
        f"{plural(len(findings), 'finding')}{beside}"
        + (", the most important:" if findings else "."),
    ]
    for number, finding in enumerate(findings[:3], 1):
        lines.append(f"  {number}. [{finding['severity']}] {one_line(finding['title'])}")
        if finding["recommendations"]:
            lines.append(f"     → {one_line(finding['recommendations'][0].get('title') or '')}")
    since = wording.since_lines(document)
    lines += ["", *since] if since else []
    lines += ["", *(f"Report: {path}" for path in outputs)]
    return "\n".join(lines)
