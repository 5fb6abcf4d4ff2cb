"""Times of plan nodes: elapsed over all loops, and each node's own share of it.

PostgreSQL prints the average time of one loop, children included, and for nodes under a Gather
counts a loop per process. `total_ms` is that average times loops, divided by the processes that
shared the loops: elapsed time. `self_ms` takes off what the node waited for below it. Two kinds
of subtree are printed away from the node that runs them: a CTE runs inside its CTE Scans, an
InitPlan inside the node that first asks for its value; their time is taken off there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from analyzer.plans.nodes import TEXTS
from analyzer.records import changing

_GATHERS = ("Gather", "Gather Merge")
_ROUNDING_MS = 0.0005  # times are printed with three digits


@changing
class _Ledger:
    """Who waits for whom, and for how long: `charges[n]` are (subtree root, milliseconds)."""

    charges: list[list[tuple[int, float]]]
    payers: list[int]  # how many nodes pay for a subtree, and are not settled yet
    after_ms: float = 0.0  # run after the tree was done: data-modifying CTEs nobody read
    afterwards: list[tuple[int, float]] = field(default_factory=list)


def fill_in_times(nodes: Sequence[Any]) -> None:
    """Processes, payers and times of all nodes of a plan: drafts, depth first, the root first.

    The self times sum to the root's total. That total is the printed one, plus the time of
    data-modifying CTEs that no node reads: PostgreSQL runs these after the root is done.
    """
    totals = _elapsed(nodes)
    if any(node.parent_relationship == "InitPlan" for node in nodes):
        ledger = _open_ledger(nodes, totals)
        _add_payers(nodes, ledger)
        own = _settle(ledger, totals)
        totals[0] += ledger.after_ms
    else:
        for node in nodes[1:]:
            node.payers = (node.parent,)
        own = _handed_down(nodes, totals)
    if nodes[0].actual_total_ms is not None:
        for node, total_ms, self_ms in zip(nodes, totals, own, strict=True):
            node.total_ms = total_ms
            node.self_ms = self_ms


def _elapsed(nodes: Sequence[Any]) -> list[float]:
    """Elapsed time of every node, 0 where none is known; fills in the processes that share it."""
    if not any(node.type in _GATHERS for node in nodes):
        return [(node.actual_total_ms or 0.0) * node.loops for node in nodes]
    shared = [1.0] * len(nodes)
    totals = []
    for node in nodes:  # parents come before their children
        processes = shared[node.id]
        gathers = node.type in _GATHERS
        for child in node.children:
            below = processes
            if gathers and child.parent_relationship not in ("InitPlan", "SubPlan"):
                below = _participants(node, child)
            shared[child.id] = below
        node.processes = max(1, round(processes))
        loops = node.loops
        whole_ms = (node.actual_total_ms or 0.0) * loops
        totals.append(whole_ms / max(1.0, min(processes, loops)))
    return totals


def _participants(gather: Any, child: Any) -> float:  # noqa: ANN401 - drafts
    """Workers and leader that ran the nodes under a Gather (the leader may have been too busy)."""
    most = 1.0 + (gather.workers_launched or 0)
    if gather.extra.get("Single Copy") is True:
        most = 1.0
    if gather.rows_actual is None or child.rows_actual is None:
        return most
    if gather.loops and child.loops:
        return float(min(most, max(1.0, child.loops / gather.loops)))
    return most


def _handed_down(nodes: Sequence[Any], totals: Sequence[float]) -> list[float]:
    """Own times in a tree in which every node is run by its parent, as most are; see `_settle`."""
    budgets = list(totals)
    own = []
    for node in nodes:  # parents come before their children
        budget = budgets[node.id]
        children = node.children
        if not children:
            own.append(budget)
            continue
        claimed = 0.0
        for (
            child
        ) in children:  # as native/_nodes.pyx does; `sum` rounds otherwise from Python 3.12 on
            claimed += totals[child.id]
        if claimed > budget:
            scale = budget / claimed
            for child in children:
                budgets[child.id] = totals[child.id] * scale
        own.append(budget - claimed if claimed < budget else 0.0)
    return own


def _add_payers(nodes: Sequence[Any], ledger: _Ledger) -> None:
    """Fill in which nodes wait for a node."""
    for payer, charges in enumerate(ledger.charges):
        for number, _ in charges:
            nodes[number].payers = (*nodes[number].payers, payer)


def _open_ledger(nodes: Sequence[Any], totals: Sequence[float]) -> _Ledger:
    ledger = _Ledger([[] for _ in nodes], [0] * len(nodes))
    ends = _subtree_ends(nodes)
    scans = _readers_of_ctes(nodes, ends)
    for number, node in enumerate(nodes):
        if node.parent is None:
            continue
        for payer, amount in _payments(number, nodes, totals, ends, scans):
            ledger.charges[payer].append((number, amount))
            ledger.payers[number] += 1
        if _is_cte(node) and node.type == "ModifyTable":
            read = sum(totals[scan] for scan in scans.get(number, ()))
            late = max(0.0, totals[number] - read)
            ledger.after_ms += late
            ledger.afterwards.append((number, late))
    return ledger


def _payments(
    number: int,
    nodes: Sequence[Any],
    totals: Sequence[float],
    ends: Sequence[int],
    scans: Mapping[int, list[int]],
) -> Iterator[tuple[int, float]]:
    """Which nodes wait for the subtree `number`, and how long each."""
    node = nodes[number]
    if _is_cte(node) and (scans.get(number) or node.type == "ModifyTable"):
        remaining = totals[number]
        for scan in sorted(scans.get(number, ()), key=lambda n: (-totals[n], n)):
            amount = min(remaining, totals[scan])
            remaining -= amount
            yield scan, amount
    elif node.parent_relationship == "InitPlan":
        yield _asker(number, nodes, totals, ends), totals[number]
    elif node.parent is not None:
        yield node.parent, totals[number]


def _settle(ledger: _Ledger, totals: Sequence[float]) -> list[float]:
    """Hand the root's time down: a node keeps what its subtrees do not use.

    Where subtrees claim more than there is (rounding, skewed averages), they share it in
    proportion, so that nothing is negative and the sum stays the root's.
    """
    own = [0.0] * len(totals)
    budgets = [0.0] * len(totals)
    budgets[0] = totals[0]
    for number, late in ledger.afterwards:
        budgets[number] += late
    ready = [0, *(number for number, _ in ledger.afterwards if not ledger.payers[number])]
    while ready:
        number = ready.pop()
        claimed = sum(amount for _, amount in ledger.charges[number])
        scale = min(1.0, budgets[number] / claimed) if claimed > 0 else 0.0
        own[number] = max(0.0, budgets[number] - claimed * scale)
        for child, amount in ledger.charges[number]:
            budgets[child] += amount * scale
            ledger.payers[child] -= 1
            if ledger.payers[child] == 0:
                ready.append(child)
    return own


def _is_cte(node: Any) -> bool:  # noqa: ANN401 - a draft
    return node.parent_relationship == "InitPlan" and (node.subplan_name or "").startswith("CTE ")


def _subtree_ends(nodes: Sequence[Any]) -> list[int]:
    """For each node the number after the last of its subtree."""
    ends = list(range(1, len(nodes) + 1))
    for number in range(len(nodes) - 1, 0, -1):
        parent = nodes[number].parent
        if parent is not None:
            ends[parent] = max(ends[parent], ends[number])
    return ends


def _readers_of_ctes(nodes: Sequence[Any], ends: Sequence[int]) -> dict[int, list[int]]:
    """The CTE Scans of each CTE's subtree root: a name means the nearest WITH around the scan."""
    defined = {
        (node.parent, (node.subplan_name or "")[4:]): number
        for number, node in enumerate(nodes)
        if _is_cte(node)
    }
    readers: dict[int, list[int]] = {}
    for number, node in enumerate(nodes):
        if node.type != "CTE Scan" or not defined:
            continue
        above = node.parent
        while above is not None:
            cte = defined.get((above, node.extra.get("CTE Name")))
            if cte is not None and not cte <= number < ends[cte]:
                readers.setdefault(cte, []).append(number)
                break
            above = nodes[above].parent
    return readers


def _asker(number: int, nodes: Sequence[Any], totals: Sequence[float], ends: Sequence[int]) -> int:
    """The node that runs an InitPlan: the first that uses its value and took long enough.

    A Gather computes the values its workers need before it starts them.
    """
    parent = nodes[number].parent or 0
    name = nodes[number].subplan_name or ""
    mention = _mention(name)
    in_output: list[int] = []
    for candidate in range(parent, ends[parent]):
        if number <= candidate < ends[number]:
            continue
        in_condition = any(_says(value, mention) for value in _conditions(nodes[candidate]))
        if not in_condition and not _says(nodes[candidate].extra.get("Output"), mention):
            continue
        payer = _outermost_gather(candidate, parent, nodes)
        if payer != parent and totals[payer] < totals[number] * 0.99 - _ROUNDING_MS:
            continue
        if in_condition:
            return payer
        in_output.append(payer)
    return in_output[-1] if in_output else parent


def _conditions(node: Any) -> Iterator[object]:  # noqa: ANN401 - a draft
    """What a node says of itself, but for the columns that it gives."""
    yield from (getattr(node, name) for name in TEXTS)
    yield list(node.sort_key)
    yield from (value for key, value in node.extra.items() if key != "Output")


def _mention(name: str) -> re.Pattern[str]:
    """How conditions speak of an InitPlan: `$0` before PostgreSQL 17, `(InitPlan 1).col1` since."""
    _, returns, parameters = name.partition(" (returns ")
    if returns:
        wanted = [re.escape(text.strip()) for text in parameters.rstrip(")").split(",")]
        return re.compile(rf"(?:{'|'.join(wanted)})(?![0-9])")
    return re.compile(re.escape(f"({name})"))


def _says(value: object, mention: re.Pattern[str]) -> bool:
    if isinstance(value, str):
        return mention.search(value) is not None
    return isinstance(value, list) and any(
        isinstance(item, str) and mention.search(item) is not None for item in value
    )


def _outermost_gather(number: int, above: int, nodes: Sequence[Any]) -> int:
    """The highest Gather on the way from `number` up to, but without, `above`; else `number`."""
    found = number
    at: int | None = number
    while at is not None and at != above:
        if nodes[at].type in _GATHERS:
            found = at
        at = nodes[at].parent
    return found
