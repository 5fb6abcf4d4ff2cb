"""The four promises of a team on one page: P95, cache, migrations, schema; unknown where nothing tells.

Made from what the other commands find, as they write it: a report, a hit rate, a schema's document.
"""

from typing import Any

from analyzer import __version__
from analyzer.report.formats import count, ms, one_line, percent, plural, quantile_name
from analyzer.report.wording import actions, method, state, value

SCHEMA_VERSION = 1


def scoreboard(
    report: dict[str, Any] | None,
    hit_rate: dict[str, Any] | None,
    schema: dict[str, Any] | None,
    warnings: list[str],
    *,
    shows_values: bool = True,
) -> dict[str, Any]:
    """The document: `metrics`, each with `id`, `name`, `value`, `shown`, `target`, `verdict`, `method`, `first`.

    Args:
        report: report.json's document, None where there is no log and no server.
        hit_rate: the part of `pg95 cache`, None where nothing tells of a cache.
        schema: the document of `pg95 schema`, None where there is no schema or no database.
        warnings: what could not be read.
        shows_values: a failed migration's error, which may quote the data, may be shown.

    `first` is the first thing to do, or what would make an unknown one known.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "pg95", "version": __version__},
        "metrics": [
            _p95(report),
            _cache(hit_rate),
            _migrations(schema, shows_values=shows_values),
            _schema(schema),
        ],
        "warnings": warnings,
    }


def _metric(name: str, title: str, target: str, **known: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    unknown = {
        "value": None,
        "shown": "not known",
        "verdict": "unknown",
        "method": "none",
        "first": None,
    }
    return {"id": name, "name": title, "target": target, **unknown, **known}


def _p95(report: dict[str, Any] | None) -> dict[str, Any]:
    if report is None:
        give = (
            "give a log, pg_stat_statements or a server: pg95 scoreboard app.log --dsn service=prod"
        )
        return _metric("p95", "Queries P95", "< 100 ms", first=give)
    target = report["target"]
    title = f"Queries {quantile_name(target['quantile'])}"
    step = next(iter(actions(report)), None)
    first = f"{one_line(step['do'])} ({step['saves']})" if step else None
    if state(target) == "unknown":
        first = "log more of the executions: pg95 doctor --plan-logging says how"
    return _metric(
        "p95", title, f"< {ms(target['ms'])}",
        value=target["value_ms"], shown=value(target), verdict=state(target),
        method=method(target["method"]), first=first,
    )  # fmt: skip


def _cache(hit_rate: dict[str, Any] | None) -> dict[str, Any]:
    if hit_rate is None:
        give = "give Redis' INFO and a sample of MONITOR, the application's cache log, or --redis (docs/cache.md)"
        return _metric("cache-hit-rate", "Cache hit rate", "> 80 %", first=give)
    target, worst = hit_rate["target"], _worst_use(hit_rate)
    first = hit_rate["note"] if hit_rate["verdict"] == "unknown" else worst
    return _metric(
        "cache-hit-rate", "Cache hit rate", f"> {percent(target)}",
        value=hit_rate["value"], shown=percent(hit_rate["value"]), verdict=hit_rate["verdict"],
        method=hit_rate["method"], first=first,
    )  # fmt: skip


def _worst_use(hit_rate: dict[str, Any]) -> str | None:
    """What misses most often, where the target is missed."""
    if hit_rate["verdict"] != "missed":
        return None
    uses = hit_rate["uses"]
    if not uses:
        return "find out which routes miss: docs/cache.md"
    worst = max(uses, key=lambda use: use["reads"] - use["hits"])
    misses = worst["reads"] - worst["hits"]
    return f"{one_line(worst['name'])}: {plural(misses, 'miss', 'misses')} of {count(worst['reads'])} reads; pg95 cache app.log says for how long to keep it"


def _migrations(schema: dict[str, Any] | None, *, shows_values: bool) -> dict[str, Any]:
    title = "Failed migrations"
    if schema is None or schema["migrations"] is None:
        give = (
            "give a server that has _prisma_migrations: --dsn, and the schema beside its migrations"
        )
        return _metric("failed-migrations", title, "0", first=give)
    bad = [one for one in schema["migrations"] if one["status"] in ("failed", "edited", "missing")]
    failed = [one for one in bad if one["status"] == "failed"]
    step = next(iter([*failed, *bad]), None)
    shown = count(len(failed))
    others = len(bad) - len(failed)
    first = None
    if step is not None:
        first = (
            f"{one_line(step['name'])}: {one_line(step['text'])}. {one_line(step['mend'] or '')}"
        )
        if failed and not shows_values:
            first = f"{one_line(step['name'])}: pg95 migrations shows its error and what to do"
    shown += f" ({others} edited or without their file)" if others else ""
    return _metric(
        "failed-migrations", title, "0", value=len(failed), shown=shown,
        verdict="missed" if failed else "met", method="_prisma_migrations",
        first=first,
    )  # fmt: skip


def _schema(schema: dict[str, Any] | None) -> dict[str, Any]:
    title = "Schema and database in sync"
    if schema is None:
        give = "give schema.prisma (--prisma) and a server (--dsn) or a dump (--dump)"
        return _metric("schema-in-sync", title, "no difference", first=give)
    found = schema["differences"]
    first = None
    if found:
        one = found[0]
        where = (
            f"{one['table']}.{one['name']}"
            if one["table"] and one["name"]
            else one["table"] or one["name"]
        )
        first = f"{one['subject']} {one_line(str(where))}: mend {'schema.prisma' if one['mend'] == 'schema' else 'the database by a migration'}; pg95 schema has the text"
    return _metric(
        "schema-in-sync", title, "no difference", value=len(found),
        shown="in sync" if not found else plural(len(found), "difference"),
        verdict="missed" if found else "met", method="compared", first=first,
    )  # fmt: skip


def open_metrics(document: dict[str, Any]) -> str:
    """The four metrics as an OpenMetrics text: a verdict (1 met, 0 missed, -1 unknown), and values that are known."""
    codes = {"met": 1, "missed": 0, "unknown": -1}
    lines = [
        "# TYPE pg95_promise_verdict gauge",
        "# HELP pg95_promise_verdict 1 met, 0 missed, -1 unknown.",
    ]
    lines += [
        f'pg95_promise_verdict{{promise="{one["id"]}"}} {codes[one["verdict"]]}'
        for one in document["metrics"]
    ]
    lines += [
        "# TYPE pg95_promise_value gauge",
        "# HELP pg95_promise_value Milliseconds, a share, or a count.",
    ]
    lines += [
        f'pg95_promise_value{{promise="{one["id"]}"}} {one["value"]:g}'
        for one in document["metrics"]
        if one["value"] is not None
    ]
    return "\n".join([*lines, "# EOF"]) + "\n"
