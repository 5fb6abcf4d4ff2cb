"""The first screen: the verdict, the figures behind it against earlier nights, and what they show."""

from typing import Any

from analyzer.report.charts import gauge
from analyzer.report.coverage_words import coverage_sentences
from analyzer.report.formats import count, ms, plural, quantile_name
from analyzer.report.sections._base import Section
from analyzer.report.sections.requests import UNITS
from analyzer.report.values import Document
from analyzer.report.verdict_words import (
    comparisons,
    nothing_to_compare,
    overall_headline,
    overall_state,
    status_counts,
)
from analyzer.report.wording import (
    interval,
    method,
    open_findings,
    severities,
    silent,
    state,
    value,
)


def prepare(document: Document) -> dict[str, Any]:
    """Verdict, a card for statements and one for requests, findings, coverage in words."""
    return {
        "state": overall_state(document),
        "headline": overall_headline(document),
        "cards": _cards(document),
        "client": _client(document),
        "alone": nothing_to_compare(document),
        "severities": severities(document),
        "statuses": status_counts(document),
        "findings": len(open_findings(document)),
        "unanswered": silent(document),
        "sentences": coverage_sentences(document),
        "warnings": len(document["coverage"]["warnings"]),
        "unredacted": document.get("redaction") == "off",
    }


def _cards(document: Document) -> list[dict[str, Any]]:
    target = document["target"]
    name = quantile_name(target["quantile"])
    of = plural(target["executions"], "execution")
    cards = [_card(document, "statements", f"{name} of statements", target, of)]
    request = target["request"]
    if request is not None:
        trips = count(request["round_trips_p95"])
        unit = UNITS.get(request["unit"], f"{request['unit']}s")
        of = f"{plural(request['requests'], 'request')} ({unit}); {trips} round trips at {name}"
        cards.append(_card(document, "request", f"{name} of requests", request, of))
    return cards


def _card(
    document: Document, part: str, label: str, measured: dict[str, Any], of: str
) -> dict[str, Any]:
    target_ms = document["target"]["ms"]
    return {
        "label": label,
        "state": state(measured),
        "value": value(measured),
        "gauge": gauge(measured, target_ms),
        "target": ms(target_ms),
        "interval": interval(measured),
        "method": method(measured["method"]),
        "of": of,
        "reason": measured.get("reason") if _needs_reason(measured) else None,
        "beside": comparisons(document, part),
    }


def _client(document: Document) -> dict[str, Any] | None:
    """The client's clock, which also measures the wait for a connection, in a line."""
    client = document["target"]["client"]
    if client is None:
        return None
    return {"state": state(client), "value": value(client)}


def _needs_reason(measured: dict[str, Any]) -> bool:
    """Whether the figure is to be doubted, or hangs on what was assumed."""
    return state(measured) == "unknown" or measured["method"] in ("tail-exact", "bound")


SECTION = Section("summary", "Verdict", "sections/summary.html.j2", prepare)
