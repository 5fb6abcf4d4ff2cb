"""What the commands with one subject print in a terminal: each a part of the document."""

from collections.abc import Callable
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analyzer.report.formats import count, ms, neutralise, one_line, percent, plural, size, spread
from analyzer.report.index_words import measured_lines, verification_lines
from analyzer.report.layout import brief
from analyzer.report.sections.findings import figures
from analyzer.report.values import Document
from analyzer.report.views import hygiene, prisma_patch
from analyzer.report.wording import (
    acceptance,
    accepted_lines,
    open_findings,
    ruled_out_lines,
    saving_detail,
    silent_lines,
)

_ROOMY = 100
_TREES = 3  # plans that a screen has room for
_ORDERS: dict[str, Callable[[dict[str, Any]], float]] = {
    "total": lambda statement: statement["total_ms"],
    "p95": lambda statement: statement["p95_ms"] or statement.get("p95_high_ms") or 0.0,
    "calls": lambda statement: statement["calls"],
    "round-trips": lambda statement: statement["calls_per_request_p95"] or 0.0,
}


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in columns:
        if name in right:
            table.add_column(name, justify="right", no_wrap=True)
        else:
            table.add_column(name, overflow="fold", ratio=1)
    return table


def top(document: Document, width: int, *, by: str, limit: int) -> list[RenderableType]:
    """The team's statements by total time, P95, calls or round trips per request."""
    ours = [one for one in document["statements"] if one["role"] == "workload"]
    statements = sorted(ours, key=_ORDERS[by], reverse=True)
    numbers: tuple[str, ...] = ("Total", "Calls", "P95")
    if width >= _ROOMY:
        numbers = ("Total", "Share", "Calls", "P50", "P95", "P99", "Per request")
    table = _table(*numbers, "Statement", right=numbers)
    for one in statements[:limit]:
        bound = one["p95_ms"] is None and one.get("p95_high_ms") is not None
        cells = {
            "Total": ms(one["total_ms"]),
            "Share": percent(one["share"]),
            "Calls": count(one["calls"]),
            "P50": ms(one["p50_ms"]),
            "P95": f"≤ {ms(one['p95_high_ms'])}" if bound else ms(one["p95_ms"]),
            "P99": ms(one["p99_ms"]),
            "Per request": count(one["calls_per_request_p95"]),
        }
        text = Text(f"{brief(one['sql'], 3 * width)}\n", overflow="fold")
        text.append(f"q-{one_line(one['shape_id'])}", style="dim")
        table.add_row(*(Text(cells[name]) for name in numbers), text)
    left = len(statements) - limit
    more = [Text(f"{plural(left, 'more statement')}: -n {len(statements)}")] if left > 0 else []
    return [table, *more] if statements else [Text("No statement in the input.")]


def findings(document: Document, width: int, nothing: str) -> list[RenderableType]:
    """Findings with their evidence and their first fix, and the detectors that could not judge."""
    parts: list[RenderableType] = []
    for finding in open_findings(document):
        parts += _finding(finding, width)
    if not open_findings(document):
        parts.append(Text(nothing))
    parts += [Text(line, style="dim") for line in accepted_lines(document)]
    parts += [Text(line, style="dim") for line in ruled_out_lines(document, width)]
    return parts + [Text(line, style="dim") for line in silent_lines(document)]


def _finding(finding: dict[str, Any], width: int) -> list[RenderableType]:
    head = Text(one_line(finding["title"]), style="bold")
    head.append(
        f"  [{one_line(finding['severity'])}, confidence {finding['confidence']:.2f}]",
        style="not bold",
    )
    lines: list[RenderableType] = [head]
    if finding.get("acknowledged"):
        lines.append(_indented(Text(f"was acknowledged: {acceptance(finding)}", style="yellow")))
    lines += [_indented(Text(line)) for line in _evidence(finding, width)]
    for advice in finding["recommendations"][:1]:
        what = one_line(advice.get("title") or advice["kind"])
        code = "\n".join(neutralise(line) for line in advice["text"].splitlines())
        lines += [
            _indented(Text(f"→ {what}", style="green")),
            Padding(Text(code), (0, 0, 0, 4)),
            _indented(Text(f"trade-off: {one_line(advice['risk'])}", style="dim")),
            *_because(advice),
        ]
    return [*lines, Text("")]


def _because(advice: dict[str, Any]) -> list[RenderableType]:
    because = one_line(advice.get("because") or "")
    return [_indented(Text(f"why this way: {because}", style="dim"))] if because else []


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2))


def _evidence(finding: dict[str, Any], width: int) -> list[str]:
    """A few lines that show why, by what the evidence has."""
    evidence = finding["evidence"]
    lines = []
    if "parent_sql" in evidence:
        per = spread(evidence["children_per_occurrence"])
        occurrences = plural(evidence["occurrences"], "occurrence")
        executions = plural(evidence["executions"], "execution")
        lines += [
            f"parent  {brief(evidence['parent_sql'], width - 12)}",
            f"child   {brief(evidence['child_sql'], width - 12)}",
            f"{occurrences} of {per} children, {executions} in all, scope {one_line(str(evidence['scope']))}",
            f"linked  {one_line(evidence['link'])}",
        ]
    elif "cost_ms" in evidence:
        lines += [brief(reason, 3 * width) for reason in evidence["reasons"]]
        if evidence.get("condition"):
            lines.append(f"condition {brief(evidence['condition'], width)}")
    elif "filter" in evidence:
        lines.append(
            f"reads {count(evidence['rows_read'])} rows, keeps {count(evidence['rows_kept'])} "
            f"({percent(evidence['kept_ratio'])}) in {ms(evidence['self_ms'])}; filter {brief(evidence['filter'], width)}"
        )
    else:
        if isinstance(evidence.get("sql"), str):
            lines.append(f"statement  {brief(evidence['sql'], width - 14)}")
        if "occurrences" in evidence and "per_occurrence" in evidence:
            lines.append(
                f"{plural(evidence['occurrences'], 'occurrence')} of {spread(evidence['per_occurrence'])} executions, scope {one_line(str(evidence['scope']))}"
            )
        else:
            shown = [f"{one_line(name)} {brief(text, width)}" for name, text in figures(evidence)]
            lines += ["; ".join(shown)] if shown else []
    detail = saving_detail(finding["impact"])
    lines += [f"saves   {detail}"] if detail else []
    lines.append(f"key {one_line(finding['key'])}")
    return lines


def plans(document: Document, width: int) -> list[RenderableType]:
    """The slowest plans as trees, those with findings first; the others in a table; their findings."""
    from analyzer.report.views.plan_tree import plan_tree  # noqa: PLC0415 - for this command alone

    read = sorted(
        document["plans"],
        key=lambda plan: (
            not any(node["findings"] for node in plan["nodes"]),
            -(plan["total_ms"] or 0.0),
        ),
    )
    titles = {finding["key"]: finding["title"] for finding in document["findings"]}
    texts = {one["shape_id"]: one["sql"] for one in document["statements"]}
    parts: list[RenderableType] = []
    for plan in read[:_TREES]:
        statement = texts.get(plan["shape_id"]) or plan.get("sql")
        parts += plan_tree(plan, titles, width, statement)
    if not read:
        parts.append(Text("No plan in the input."))
    if len(read) > _TREES:
        parts += [_more_plans(read[_TREES:]), Text("")]
    return [*parts, *findings(document, width, "No finding in these plans.")]


def _more_plans(read: list[dict[str, Any]]) -> RenderableType:
    """Plans that are not shown as trees."""
    table = _table("Time", "Planning", "Nodes", "Plan", right=("Time", "Planning", "Nodes"))
    for plan in read[:20]:
        worst = max(plan["nodes"], key=lambda node: node["self_ms"] or 0.0, default=None)
        what = f"{plan['source']}"
        if worst is not None:
            on = f" on {worst['relation']}" if worst["relation"] else ""
            what += f"\nmost of it in {worst['type']}{on}: {ms(worst['self_ms'])}"
        table.add_row(
            ms(plan["total_ms"]),
            ms(plan["planning_ms"]),
            count(len(plan["nodes"])),
            Text("\n".join(one_line(line) for line in what.split("\n"))),
        )
    if len(read) > 20:  # noqa: PLR2004 - what a screen holds
        table.caption = f"{plural(len(read) - 20, 'more plan')} in --format json"
    return table


def indexes(document: Document, _width: int) -> list[RenderableType]:
    """Index recommendations, each with its reason and its price."""
    advice = document["indexes"] or {"create": [], "drop": []}
    parts: list[RenderableType] = []
    for one in advice["create"]:
        parts += [
            Text("\n".join(one_line(line) for line in one["sql"].splitlines()), style="bold"),
            Padding(Text(f"why: {one_line(one.get('rule') or '')}"), (0, 0, 0, 2)),
            Padding(
                Text(f"trade-off: {one_line(one.get('risk') or '')}", style="dim"), (0, 0, 0, 2)
            ),
            Padding(
                Text(
                    f"serves {plural(len(one['statements']), 'statement')}, size about {size(one['bytes'])}, "
                    f"verified by {one_line(one['verified_by'])}"
                ),
                (0, 0, 0, 2),
            ),
            *(_indented(Text(one_line(line))) for line in [one.get("fill_in")] if line),
            *(_indented(Text(line)) for line in _gains(one)),
            *(_indented(Text(line)) for line in measured_lines(one)),
            Text(""),
        ]
    parts += [Text(line) for line in verification_lines(document)]
    if not advice["create"]:
        parts.append(Text("No index is missing as far as the input shows."))
    return [*parts, *hygiene.terminal_lines(document), *prisma_patch.terminal_lines(document)]


def _gains(index: dict[str, Any]) -> list[str]:
    """What a what-if says of the statements that an index serves most, and how it is undone."""
    lines = []
    for gain in index["statements"][:3]:
        if gain.get("cost_before") is not None and gain.get("cost_after") is not None:
            what = gain.get("name") or gain["shape_id"]
            nodes = [gain.get("node_before"), gain.get("node_after")]
            how = f" ({one_line(nodes[0])}, then {one_line(nodes[1])})" if all(nodes) else ""
            lines.append(
                f"{one_line(what)}: cost {count(gain['cost_before'])} to {count(gain['cost_after'])}{how}"
            )
    lines += [f"set: {one_line(line)}" for line in index.get("settings") or ()]
    if index.get("rollback"):
        lines.append(f"way back: {one_line(index['rollback'])}")
    return lines


def index_sql(document: Document) -> str:
    """Runnable statements, one per line, reasons as comments; so is what lacks a value."""
    advice = document["indexes"] or {"create": [], "drop": []}
    lines = []
    for one in advice["create"]:
        lines.append(
            f"-- {one_line(one.get('rule') or '')}; verified by {one_line(one['verified_by'])}"
        )
        lines += [f"-- {line}" for line in measured_lines(one)]
        lines += [f"-- {one_line(line)}" for line in one.get("settings") or ()]
        mark = "-- " if one.get("fill_in") else ""
        lines += [f"-- {one_line(one['fill_in'])}"] if mark else []
        lines += [f"{mark}{' '.join(text.split())}" for text in one["sql"].splitlines()]
    lines += [f"-- {line}" for line in verification_lines(document)]
    lines += hygiene.sql_lines(document)
    return (
        "\n".join(lines) + "\n" if lines else "-- no index is missing as far as the input shows\n"
    )
