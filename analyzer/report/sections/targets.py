"""Parts of the traffic and their targets: those configured, and the worst that miss the run's."""

from typing import Any

from analyzer.report.formats import count, ms, quantile_name
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document
from analyzer.report.wording import few_parts, interval, method, parts_of, state, value


def prepare(document: Document) -> dict[str, Any] | None:
    """A row for each; None where nothing is configured and nothing surely misses the target.

    Parts of too few executions to say are folded below the others; alone they make no section.
    """
    parts, few = parts_of(document), few_parts(document)
    if not parts:
        return None
    links = StatementLinks(document)
    rows = [
        {
            "part": part,
            "dimension": str(part["dimension"]),
            "statement": links.link(part["name"]) if part["dimension"] == "statement" else None,
            "state": state(part),
            "value": value(part),
            "interval": interval(part),
            "executions": count(part["executions"]),
            "target": f"{quantile_name(part['quantile'])} < {ms(part['ms'])}",
            "method": method(part["method"]),
        }
        for part in parts
    ]
    missed = sum(1 for part in parts if state(part) == "missed")
    return {"count": missed, "rows": rows, "few": few}


SECTION = Section("targets", "Targets", "sections/targets.html.j2", prepare)
