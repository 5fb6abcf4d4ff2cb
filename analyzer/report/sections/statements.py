"""The statements' table: figures by shape, sortable, with the full text folded into each row."""

from typing import Any

from analyzer.report.charts import SPARK_WIDTH, small_trend, spark, spark_domain, spark_x
from analyzer.report.formats import count, quantile_name
from analyzer.report.layout import brief, display
from analyzer.report.sections._base import DETAILED, SHOWN_STATEMENTS, Section
from analyzer.report.values import Document
from analyzer.report.wording import METHODS

_TOP_ROWS = 10
_TOP_CHARACTERS = 6_000
_CHARACTERS = 600
_BRIEF = 110


def prepare(document: Document) -> dict[str, Any] | None:
    """The rows with most total time; the rest is counted and left to report.json."""
    statements = document["statements"]
    if not statements:
        return None
    findings: dict[str, list[str]] = {}
    for finding in (one for one in document["findings"] if one.get("status") != "gone"):
        for shape_id in finding["shape_ids"]:
            findings.setdefault(shape_id, []).append(finding["key"])
    shown = statements[:SHOWN_STATEMENTS]
    target_ms = document["target"]["ms"]
    domain = spark_domain([one["histogram"] for one in shown[:DETAILED]], target_ms)
    changes = {one["shape_id"]: _change(one) for one in document.get("changes") or []}
    days = {one["shape_id"]: one for one in document.get("statement_trends") or []}
    rows = [
        {
            **_row(place, statement, findings.get(statement["shape_id"], [])),
            "over": _over(statement, target_ms),
            "own_target_ms": _own_target(statement, target_ms),
            "method": METHODS.get(statement["method"], statement["method"]),
            "spark": spark(statement["histogram"], domain) if place < DETAILED else None,
            "change": changes.get(statement["shape_id"]),
            "days": _days(days.get(statement["shape_id"])),
        }
        for place, statement in enumerate(shown)
    ]
    return {
        "count": len(statements),
        "rows": rows,
        "hidden": max(0, len(statements) - SHOWN_STATEMENTS),
        "trends": any(row["change"] or row["days"] for row in rows),
        "quantile": quantile_name(document["target"]["quantile"]),
        "limit_x": spark_x(target_ms, domain) if any(row["spark"] for row in rows) else None,
        "methods": len({statement["method"] for statement in shown}) > 1,
        "method": METHODS.get(shown[0]["method"], shown[0]["method"]),
        "has_quantiles": any(statement["p50_ms"] is not None for statement in shown),
        "sparks": any(row["spark"] for row in rows),
        "has_rows": any(statement["rows"] is not None for statement in statements),
        "has_requests": any(s["calls_per_request_p95"] is not None for s in statements),
    }


def _over(statement: dict[str, Any], target_ms: float) -> bool:
    """Whether the statement misses its target; reports from before have no verdict of statements."""
    if statement.get("verdict") is None:
        return (statement["p95_ms"] or 0.0) >= target_ms
    return bool(statement["verdict"] == "missed")


def _change(change: dict[str, Any]) -> dict[str, Any]:
    """How a statement stands against the days before: its factor, and that in words."""
    word = "slower" if change["slower"] else "faster"
    return {
        "ratio": change["ratio"],
        "slower": change["slower"],
        "text": f"{count(change['ratio'])}× {word}",
    }


def _days(trend: dict[str, Any] | None) -> dict[str, Any] | None:
    """A statement's figure day by day, as a line as large as the distribution beside it."""
    return trend and small_trend(trend["days"], trend["target_ms"], SPARK_WIDTH)


def _own_target(statement: dict[str, Any], target_ms: float) -> float | None:
    """The statement's target where it is another than the run's."""
    own: float | None = statement.get("target_ms")
    return None if own == target_ms else own


def _row(position: int, statement: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    limit = _TOP_CHARACTERS if position < _TOP_ROWS else _CHARACTERS
    return {
        "s": statement,
        "brief": brief(statement["sql"], _BRIEF),
        "sql": display(statement["sql"], limit) if position < DETAILED else None,
        "findings": keys[:10],
    }


SECTION = Section("statements", "Statements", "sections/statements.html.j2", prepare)
