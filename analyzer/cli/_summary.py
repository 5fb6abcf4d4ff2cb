"""What `pg95 report` says when it is done: verdict, the three things to do, where the report is."""

from collections.abc import Sequence
from typing import Any


def summary(document: dict[str, Any], outputs: Sequence[str]) -> str:
    """A few lines for a terminal, from the document alone."""
    from analyzer.report import wording
    from analyzer.report.formats import one_line, plural
    from analyzer.report.verdict_words import verdict_line

    lines = [one_line(verdict_line(document))]
    findings = wording.open_findings(document)
    accepted = len(wording.acknowledged(document))
    beside = f" ({accepted} acknowledged)" if accepted else ""
    actions = wording.actions(document)
    lines += [
        "",
        f"{plural(len(findings), 'finding')}{beside}" + (", what saves most:" if actions else "."),
    ]
    for number, action in enumerate(actions, 1):
        lines.append(f"  {number}. [{action['severity']}] {one_line(action['title'])}")
        if action["do"] != action["title"]:
            lines.append(f"     → {one_line(action['do'])}, {action['saves']}")
    since = wording.since_lines(document)
    lines += ["", *since] if since else []
    lines += ["", *(f"Report: {path}" for path in outputs)]
    return "\n".join(lines)
