"""`pg95 cache` for people: the hit rate, and what to cache for how long."""

from typing import Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analyzer.report.formats import count, ms, neutralise, one_line, percent, plural, size
from analyzer.report.layout import brief
from analyzer.report.views._markdown_text import block, code, escape

_STYLES = {"met": "green", "missed": "red", "unknown": "yellow"}
_SHOWN = 20
_METHODS = {
    "endpoints": "from the application's own log",
    "monitor": "from a sample of MONITOR",
    "info": "from INFO, of the whole instance",
    "none": "not measured",
}


def headline(measured: dict[str, Any]) -> str:
    """The hit rate against its target, in a sentence."""
    target = percent(measured["target"])
    how = _METHODS[measured["method"]]
    if measured["value"] is None:
        return f"The cache's hit rate is not known (target over {target})."
    value, reads = percent(measured["value"]), plural(measured["reads"], "read")
    if measured["verdict"] == "unknown":
        return f"{value} of {reads} were hits ({how}), which does not tell the cache's hit rate (target over {target})."
    return (
        f"Cache hit rate {value} of {reads}, target over {target}: {measured['verdict']} ({how})."
    )


def show(document: dict[str, Any], width: int) -> list[RenderableType]:
    """The document as renderables for a terminal so wide."""
    measured = document["hit_rate"]
    parts: list[RenderableType] = [
        Text(headline(measured), style=f"bold {_STYLES[measured['verdict']]}"),
        Text(one_line(measured["note"]), style="dim"),
    ]
    if measured["uses"]:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in (
            "Hit rate",
            "Reads",
            "Route" if measured["method"] == "endpoints" else "Prefix",
        ):
            table.add_column(
                name, justify="left" if name in ("Route", "Prefix") else "right", overflow="fold"
            )
        for use in measured["uses"][:_SHOWN]:
            table.add_row(percent(use["rate"]), count(use["reads"]), Text(one_line(use["name"])))
        parts.append(table)
    parts.append(Text(candidates_line(document), style="bold"))
    for one in document["candidates"]:
        parts += [
            Text(),
            Text(brief(one["sql"], 2 * width)),
            Text(f"  {chosen(one)}"),
            *(Text(f"  {line}", style="dim") for line in details(one)),
            Padding(Text(neutralise(one["code"].rstrip()), style="cyan"), (0, 0, 0, 4)),
        ]
    return parts


def candidates_line(document: dict[str, Any]) -> str:
    """How many statements are worth caching, or why none is known."""
    found, simulated = document["candidates"], document["simulated"]
    if simulated is None:
        return "Which statements to cache: give a log of them."
    over = f"replayed over {simulated['seconds'] / 60:,.1f} min"
    if not found:
        return f"No statement is worth caching ({over})."
    return f"{plural(len(found), 'statement')} worth caching ({over}):"


def chosen(one: dict[str, Any]) -> str:
    """The time to live to take and what it does."""
    outcome = one["chosen"]
    rate = outcome["hit_invalidated"] if one["invalidate"] else outcome["hit"]
    how = " emptied by writes" if one["invalidate"] else ""
    stale = "" if one["invalidate"] else f", {percent(outcome['stale'])} of answers stale"
    return (
        f"TTL {outcome['ttl_s']} s{how}: {percent(rate)} of {plural(one['calls'], 'execution')} answered{stale}; "
        f"saves {ms(one['saved_ms'])} of {ms(one['total_ms'])} in the window; at most {count(outcome['entries'])} entries, about {size(one['memory_bytes'])}"
    )


def details(one: dict[str, Any]) -> list[str]:
    """The other times to live, routes, and what writes the tables."""
    tried = ", ".join(
        f"{outcome['ttl_s']} s: {percent(outcome['hit'])} (stale {percent(outcome['stale'])}, emptied {percent(outcome['hit_invalidated'])})"
        for outcome in one["outcomes"]
    )
    lines = [f"By TTL: {tried}"]
    lines.append(
        f"An entry is about {size(one['entry']['bytes'])} (estimated: {one_line(one['entry']['basis'])})"
    )
    if one["lru"]:
        room = one["lru"]
        lines.append(
            f"With room for {count(room['capacity'])} entries (LRU): {percent(room['hit'])} answered, "
            f"{count(room['evicted'])} evicted while they lived"
        )
    routes = ", ".join(f"{one_line(r['route'])} {ms(r['saved_ms'])}" for r in one["saved_by_route"])
    lines += [f"Saved by route: {routes}"] if routes else []
    writers = one["writers"][:3]
    lines += [f"Written by: {'; '.join(brief(w['sql'], 90) for w in writers)}"] if writers else []
    return lines


def render(document: dict[str, Any]) -> str:
    """The document as Markdown."""
    return "\n".join(_lines(document, "#")).rstrip("\n") + "\n"


def cache_text(document: dict[str, Any]) -> str:
    """The cache as a part of a report in Markdown, "" where nothing was asked about it."""
    known = document.get("cache")
    if not known:
        return ""
    return "\n".join(["## Cache", "", *_lines(known, "###")]).rstrip("\n") + "\n"


def _lines(document: dict[str, Any], mark: str) -> list[str]:
    measured = document["hit_rate"]
    lines = [f"{mark} {escape(headline(measured))}", "", escape(measured["note"], 600), ""]
    if measured["uses"]:
        lines += ["| hit rate | reads | of |", "|---:|---:|---|"]
        lines += [
            f"| {escape(percent(use['rate']))} | {count(use['reads'])} | {code(use['name'], cell=True)} |"
            for use in measured["uses"][:_SHOWN]
        ]
        lines.append("")
    lines += [f"{'#' * max(2, len(mark))} {escape(candidates_line(document))}", ""]
    for one in document["candidates"]:
        lines += [block(one["sql"], "sql"), escape(chosen(one)), ""]
        lines += [f"- {escape(line, 600)}" for line in details(one)]
        lines += ["", block(one["code"], one["language"])]
    return lines
