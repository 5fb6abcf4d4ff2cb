"""report.json: the one result that every view is a view of; built, written and read again.

Nothing in it depends on when or where it was made: the same facts give the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from analyzer import __version__
from analyzer.errors import InputError
from analyzer.model.table_diagnosis import TableDiagnoses
from analyzer.report.json_text import json_text
from analyzer.report.parts.coverage import coverage_part, window_part
from analyzer.report.parts.events import events_part
from analyzer.report.parts.executions import hours
from analyzer.report.parts.findings import detectors_part, findings_part
from analyzer.report.parts.indexes import indexes_part
from analyzer.report.parts.jobs import jobs_part
from analyzer.report.parts.plans import plans_part
from analyzer.report.parts.savings import savings_part
from analyzer.report.parts.statements import requests_part, statements_part
from analyzer.report.parts.tables import tables_part, use_part
from analyzer.report.parts.target import target_part
from analyzer.report.redaction import Redactor
from analyzer.report.values import Document, clean, clean_text

if TYPE_CHECKING:
    from analyzer.model.finding import Finding, Outcome
    from analyzer.model.index_advice import IndexAdvice
    from analyzer.model.saving import Savings
    from analyzer.model.workload import Workload

SCHEMA_VERSION = 1
_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "tool": dict,
    "window": dict,
    "coverage": dict,
    "target": dict,
    "statements": list,
    "findings": list,
    "requests": list,
    "tables": list,
    "plans": list,
    "indexes": (dict, type(None)),
    "events": list,
    "trend": list,
    "hours": list,
    "detectors": list,
}


def build_document(
    workload: "Workload",
    findings: Sequence["Finding"],
    outcomes: Mapping[str, "Outcome"],
    *,
    indexes: "IndexAdvice | None" = None,
    redact: str = "strict",
    generated_at: str | None = None,
    savings: "Savings | None" = None,
    diagnoses: "TableDiagnoses | None" = None,
) -> Document:
    """The report as plain JSON values, all keys of schema version 1 in a fixed order.

    Args:
        workload: figures, statements, plans and catalog that were judged.
        findings: all findings, with their recommendations.
        outcomes: every detector's answer by its id, in the order they ran.
        indexes: index advice, None where none was computed.
        redact: strict, stable (equal values have one name) or off.
        savings: what fixing the loops saves, None where there is nothing to fix.
        diagnoses: what stands out in tables, and which of them are told of.
        generated_at: a stamp to carry along, ISO 8601; None keeps the bytes reproducible.

    Raises:
        UsageError: `redact` is none of the three, or the key for stable names is too short.
    """
    redactor = Redactor.of(redact, frozenset(one.sql for one in workload.statements))
    document: Document = clean(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "pg95", "version": __version__},
            "generated_at": generated_at,
            "redaction": redact,
            "window": window_part(workload),
            "coverage": coverage_part(workload, redactor),
            "target": target_part(workload, redactor),
            "statements": statements_part(workload),
            "findings": findings_part(findings, redactor),
            "savings": savings_part(savings),
            "requests": requests_part(workload),
            "jobs": jobs_part(workload.jobs, findings),
            "tables": tables_part(workload, findings, redactor, diagnoses or TableDiagnoses()),
            "tables_counted": use_part(workload.use.counted if workload.use else None),
            "plans": plans_part(workload.plans, findings, redactor),
            "indexes": indexes_part(indexes, redactor),
            "events": events_part(workload, redactor),
            "trend": [],
            "changes": [],
            "hours": hours(workload.traffic),
            "detectors": detectors_part(outcomes, redactor),
        }
    )
    return document


def dump(document: Document) -> str:
    r"""The document as JSON text that UTF-8 can hold: a lone surrogate is written as `\udcxx`."""
    return clean_text(json_text(document)) + "\n"


def load(text: str) -> Document:
    """A document from its JSON text.

    Raises:
        InputError: the text is not JSON, not a report, or of a schema version this pg95 cannot
            read; the message says where and what to do.
    """
    try:
        document: Document = clean(json.loads(text, parse_constant=_no_constant))
    except json.JSONDecodeError as error:
        raise InputError(
            f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}. Give a report "
            "that `pg95 report … -o report.json` wrote."
        ) from error
    except RecursionError as error:
        raise InputError(
            "JSON nested too deeply for a report. Give one that `pg95 report … -o report.json` wrote."
        ) from error
    _check(document)
    return document


def _no_constant(name: str) -> NoReturn:
    raise InputError(f"{name} is not JSON. Write the report again: `pg95 report … -o report.json`.")


def _check(document: Any) -> None:  # noqa: ANN401 - whatever the file held
    if not isinstance(document, dict) or "schema_version" not in document:
        raise InputError(
            "JSON, but no pg95 report: it has no schema_version. Give a file that "
            "`pg95 report … -o report.json` wrote."
        )
    version = document["schema_version"]
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise InputError(
            f"schema_version is {version!r}, this pg95 ({__version__}) reads {SCHEMA_VERSION}. "
            "Use the pg95 that wrote it, or write the report again with this one."
        )
    for key, kind in _KEYS.items():
        if key not in document or not isinstance(document[key], kind):
            raise InputError(
                f"the report's {key!r} is missing or not what it should be. Write the report "
                "again: `pg95 report … -o report.json`."
            )
