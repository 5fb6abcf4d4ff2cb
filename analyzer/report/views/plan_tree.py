"""A plan as a tree in a terminal: where its time went, rows estimated and come, blocks, findings."""

from textwrap import wrap
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from analyzer.report.formats import count, cut, ms, one_line
from analyzer.report.plan_words import (
    bar_share,
    blocks_of,
    estimate_error,
    name_of,
    plan_notes,
    wrong_nodes,
)

_NODES = 200
_DEEPEST = 18
_BAR = 10  # characters
_WIDE = 96  # columns from which conditions and blocks have room
_CONDITION = 160
_FIGURES = 38  # columns beside the tree: time, bar and margins, without rows and blocks
_NARROWEST = 24  # columns of what stands below a node


def plan_tree(
    plan: dict[str, Any], titles: dict[str, str], width: int, statement: str | None
) -> list[RenderableType]:
    """A heading, the tree, and what else the plan says.

    Args:
        plan: of the document.
        titles: the title of each finding by its key.
        width: columns of the terminal.
        statement: the text to head the plan with, None where it is unknown.
    """
    ran, wrong = plan["analyzed"], wrong_nodes(plan)
    cost = plan["nodes"][0].get("cost") if plan["nodes"] else None
    whole = ms(plan["total_ms"]) if ran or cost is None else f"cost {count(round(cost))}"
    head = Text(whole, style="bold")
    head.append(f"  {cut(one_line(statement or plan['source']), width - 14)}", style="not bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("Node", overflow="fold", ratio=1)
    table.add_column("Self" if ran else "Cost", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column(
        "Rows estimated → actual" if ran else "Rows estimated",
        justify="right",
        no_wrap=width >= _WIDE,
    )
    if width >= _WIDE:
        table.add_column("Blocks (self)", justify="right", no_wrap=True)
    shown = plan["nodes"][:_NODES]
    wide = width >= _WIDE
    widest = max(len(_rows(node, wrong)) + wide * len(blocks_of(node)) for node in shown)
    room = width - _FIGURES - widest
    guides = _guides(shown)
    for node, (first, rest) in zip(plan["nodes"], guides, strict=False):
        cells: list[Any] = [
            _node(node, titles, (first, rest), room, wide=wide),
            ms(node["self_ms"]) if ran else count(node.get("cost")),
            Text("█" * round(bar_share(node, plan) * _BAR) or "", style="cyan"),
            _rows(node, wrong),
        ]
        table.add_row(*cells, *([blocks_of(node)] if width >= _WIDE else []))
    notes = plan_notes(plan)
    hidden = len(plan["nodes"]) - _NODES
    if hidden > 0:
        notes.append(f"{count(hidden)} more nodes in --format json")
    return [head, table, *(Text(f"  {one_line(note)}", style="dim") for note in notes), Text("")]


def _node(
    node: dict[str, Any], titles: dict[str, str], guides: tuple[str, str], room: int, *, wide: bool
) -> Text:
    """A node's name and its findings, in `room` columns; in a wide terminal also what it said of itself."""
    first, rest = guides
    text = Text(first, style="dim")
    muted = "dim" if node["never_executed"] else "not dim"
    text.append(one_line(name_of(node)), style=muted)
    if node["loops"] > 1:
        text.append(f"  ×{count(node['loops'])}", style="dim")
    columns = max(_NARROWEST, room - len(rest) - 2)
    if wide:
        said = [f"{name.replace('_', ' ')}: {told}" for name, told in node["conditions"].items()]
        said.append(" · ".join(node.get("details", ())))
        for what in filter(None, said):
            for line in wrap(cut(one_line(what), _CONDITION), columns):
                text.append(f"\n{rest}  {line}", style="dim")
    for key in node["findings"]:
        for place, line in enumerate(wrap(one_line(titles.get(key, key)), columns)):
            text.append(f"\n{rest}{'  ' if place else '▲ '}{line}", style="not dim yellow")
    return text


def _rows(node: dict[str, Any], wrong: set[int]) -> Text:
    if node["rows_actual"] is None:
        return Text(count(node["rows_estimated"]))
    text = Text(f"{count(node['rows_estimated'])} → {count(node['rows_actual'])}")
    if node["id"] in wrong:
        text.append(f"  ×{count(round(estimate_error(node)))}", style="red")
    return text


def _guides(nodes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Lines that lead to each node: before its name, and before what stands below its name."""
    more = [False] * len(nodes)  # whether a sibling comes later
    seen: set[int | None] = set()
    for place in range(len(nodes) - 1, -1, -1):
        more[place] = nodes[place]["parent"] in seen
        seen.add(nodes[place]["parent"])
    trails: dict[int | None, str] = {None: ""}
    has_children = {node["parent"] for node in nodes}
    guides = []
    for node, again in zip(nodes, more, strict=True):
        above = trails.get(node["parent"], "")
        root = node["parent"] is None
        shallow = node["depth"] <= _DEEPEST
        first = above if root or not shallow else above + ("├ " if again else "└ ")
        below = above if root or not shallow else above + ("│ " if again else "  ")
        trails[node["id"]] = below
        guides.append((first, below + ("│ " if node["id"] in has_children else "  ")))
    return guides
