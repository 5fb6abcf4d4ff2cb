"""A plan's own text as the report may show it, to be copied into another tool.

With redaction off it is what was found. Else it has the same lines or the same keys, and each text that
may hold a value (conditions, output, statements, remote SQL, what is not known) is redacted; names and
figures stay. TEXT stays TEXT; the other formats become JSON, which every tool reads.
"""

import json
from collections.abc import Mapping

from analyzer.model.plan import Plan
from analyzer.plans.reader import documents_of
from analyzer.plans.text_details import FIGURE_KEYS, settings_in
from analyzer.plans.text_lines import whole_lines
from analyzer.report.plan_settings import shown_settings
from analyzer.report.redaction import Redactor

MOST_CHARACTERS = 200_000
# Texts that are names or words of PostgreSQL's own, in any format.
_NAMES = frozenset(
    (
        *("Node Type", "Parent Relationship", "Subplan Name", "Relation Name", "Schema", "Alias"),
        *("Index Name", "Join Type", "Strategy", "Partial Mode", "Scan Direction", "Operation"),
        *("CTE Name", "Function Name", "Table Function Name", "Tuplestore Name", "Command"),
        *("Custom Plan Provider", "Sort Method", "Sort Space Type", "Sort Methods Used"),
        *("Cache Mode", "Conflict Resolution", "Conflict Arbiter Indexes", "Trigger Name"),
        *("Constraint Name", "Relation", "Relations", "Format", "Storage", "Sampling Method"),
    )
)


def shown_text(plan: Plan, redactor: Redactor) -> str | None:
    """The text of a plan, None where it has none or is too long to be shown."""
    if not plan.raw or len(plan.raw) > MOST_CHARACTERS:
        return None
    if redactor.shows_values:
        return plan.raw
    if plan.format == "text":
        return _lines(plan.raw, redactor)
    found = next(documents_of(plan.raw, plan.format), None)
    if found is None:
        return None
    return json.dumps([_values("", found, redactor)], indent=1, ensure_ascii=False)


def _lines(raw: str, redactor: Redactor) -> str:
    shown = []
    for line in whole_lines(raw.split("\n")):
        text = line.text.rstrip()
        key, colon, value = text.partition(": ")
        if line.kind in ("detail", "query") and colon:
            text = f"{key}: {_detail(key, value, redactor)}"
        elif line.kind in ("other", "query"):
            text = redactor.text(text)
        shown.append(" " * line.indent + text)
    return "\n".join(shown)


def _detail(key: str, value: str, redactor: Redactor) -> str:
    figures = key in FIGURE_KEYS or key in _NAMES or key.startswith(("Worker ", "Trigger "))
    if key == "Settings":
        shown = shown_settings(settings_in(value), redactor).items()
        return ", ".join(f"{name} = '{one}'" for name, one in shown)
    if (figures and "'" not in value) or value.replace(".", "", 1).removesuffix(" ms").removesuffix(
        "kB"
    ).isdigit():
        return value
    return redactor.text(value)


def _values(key: str, value: object, redactor: Redactor) -> object:
    """A value of a document: texts are redacted, unless the key says that they are names."""
    if isinstance(value, str):
        return value if key in _NAMES else redactor.text(value)
    if key == "Settings" and isinstance(value, Mapping):
        return shown_settings(value, redactor)
    if isinstance(value, Mapping):
        return {name: _values(name, one, redactor) for name, one in value.items()}
    if isinstance(value, list):
        return [_values(key, one, redactor) for one in value]
    return value
