"""The first screen: the verdict, the figures behind it, and how much of the traffic they show."""

from typing import Any

from analyzer.report.charts import gauge
from analyzer.report.coverage_words import coverage_sentences
from analyzer.report.formats import count, ms, plural, quantile_name
from analyzer.report.sections._base import Section
from analyzer.report.values import Document
from analyzer.report.wording import (
    headline,
    interval,
    method,
    open_findings,
    severities,
    silent,
    state,
    value,
)


def prepare(document: Document) -> dict[str, Any]:
    """Verdict cards, coverage in words, findings by severity."""
    target = document["target"]
    return {
        "state": state(target),
        "headline": headline(document),
        "cards": _cards(target),
        "severities": severities(document),
        "findings": len(open_findings(document)),
        "unanswered": silent(document),
        "sentences": coverage_sentences(document),
        "warnings": len(document["coverage"]["warnings"]),
        "unredacted": document.get("redaction") == "off",
    }


def _cards(target: dict[str, Any]) -> list[dict[str, Any]]:
    name = quantile_name(target["quantile"])
    executions = target["executions"]
    cards = [_card(f"{name} of statements", target, target, plural(executions, "execution"))]
    request = target["request"]
    if request is not None:
        trips = count(request["round_trips_p95"])
        unit = {"burst": "bursts of a session", "trace": "traces"}.get(
            request["unit"], f"{request['unit']}s"
        )
        cards.append(
            _card(
                f"{name} of requests",
                request,
                target,
                f"{plural(request['requests'], 'request')} ({unit}); {trips} round trips at {name}",
            )
        )
    client = target["client"]
    if client is not None:
        detail = f"{plural(client['executions'], 'execution')}, with the wait for a connection"
        cards.append(_card(f"{name} on the client's clock", client, target, detail))
    return cards


def _card(label: str, measured: dict[str, Any], target: dict[str, Any], of: str) -> dict[str, Any]:
    return {
        "label": label,
        "state": state(measured),
        "value": value(measured),
        "gauge": gauge(measured, target["ms"]),
        "target": ms(target["ms"]),
        "interval": interval(measured),
        "method": method(measured["method"]),
        "of": of,
        "reason": measured.get("reason") if _needs_reason(measured) else None,
    }


def _needs_reason(measured: dict[str, Any]) -> bool:
    """Whether the figure is to be doubted, or hangs on what was assumed."""
    return state(measured) == "unknown" or measured["method"] in ("tail-exact", "bound")


SECTION = Section("summary", "Verdict", "sections/summary.html.j2", prepare)
