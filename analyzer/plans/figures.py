"""Times of plan nodes: elapsed over all loops, and each node's own share of it.

PostgreSQL prints the average time of one loop, children included, and for nodes under a Gather
counts a loop per process. `total_ms` is that average times loops, divided by the processes that
shared the loops: elapsed time. `self_ms` takes off what the node waited for below it. Two kinds
of subtree are printed away from the node that runs them: a CTE runs inside its CTE Scans, an
InitPlan inside the node that first asks for its value; their time is taken off there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.records import record

_GATHERS = ("Gather", "Gather Merge")
_ROUNDING_MS = 0.0005  # times are printed with three digits


@dataclass(slots=True)  # not frozen: that would double what making it takes
class Timing:
    """What a node's times are computed from. `keys` is the node as printed.

    `loops` and `total_ms` (per loop) are None without ANALYZE or with TIMING OFF.
    """

    type: str
    parent: int | None
    children: Sequence[int]
    relationship: str | None
    subplan_name: str | None
    cte_name: str | None
    single_copy: bool
    launched: float | None
    loops: float | None
    total_ms: float | None
    keys: Mapping[str, object]


@record
class Figures:
    """Results, a column each with a row for each node.

    Times are milliseconds elapsed, None where the plan has no times; `payers` are the numbers of the
    nodes that wait for a node, as in PlanNode.
    """

    processes: Sequence[int]
    total_ms: Sequence[float | None]
    self_ms: Sequence[float | None]
    payers: Sequence[tuple[int, ...]]


@dataclass(slots=True)
class _Ledger:
    """Who waits for whom, and for how long: `charges[n]` are (subtree root, milliseconds)."""

    charges: list[list[tuple[int, float]]]
    payers: list[int]  # how many nodes pay for a subtree, and are not settled yet
    after_ms: float = 0.0  # run after the tree was done: data-modifying CTEs nobody read
    afterwards: list[tuple[int, float]] = field(default_factory=list)


def compute_figures(nodes: Sequence[Timing]) -> Figures:
    """Processes and times of every node; `nodes` are depth first, the root first.

    The self times sum to the root's total. That total is the printed one, plus the time of
    data-modifying CTEs that no node reads: PostgreSQL runs these after the root is done.
    """
    shared = _processes(nodes)
    whole = [max(1, round(number)) for number in shared]
    totals = [_elapsed(node, number) for node, number in zip(nodes, shared, strict=True)]
    if any(node.relationship == "InitPlan" for node in nodes):
        ledger = _open_ledger(nodes, totals)
        payers = _payers(ledger, len(nodes))
        own = _settle(ledger, totals)
        totals[0] += ledger.after_ms
    else:
        payers = [() if node.parent is None else (node.parent,) for node in nodes]
        own = _handed_down(nodes, totals)
    if nodes[0].total_ms is None:
        unknown = [None] * len(nodes)
        return Figures(whole, unknown, unknown, payers)
    return Figures(whole, totals, own, payers)


def _handed_down(nodes: Sequence[Timing], totals: Sequence[float]) -> list[float]:
    """Own times in a tree in which every node is run by its parent, as most are; see `_settle`."""
    budgets = list(totals)
    own = []
    for number, node in enumerate(nodes):  # parents come before their children
        budget = budgets[number]
        claimed = sum([totals[child] for child in node.children])
        if claimed > budget:
            scale = budget / claimed
            for child in node.children:
                budgets[child] = totals[child] * scale
        own.append(budget - claimed if claimed < budget else 0.0)
    return own


def _payers(ledger: "_Ledger", count: int) -> list[tuple[int, ...]]:
    """For each node those that wait for it."""
    payers: list[tuple[int, ...]] = [()] * count
    for payer, charges in enumerate(ledger.charges):
        for number, _ in charges:
            payers[number] = (*payers[number], payer)
    return payers


def _processes(nodes: Sequence[Timing]) -> list[float]:
    """How many processes run each node: those that took part below a Gather, else one."""
    processes = [1.0] * len(nodes)
    if not any(node.type in _GATHERS for node in nodes):
        return processes
    for number, node in enumerate(nodes):
        gathers = node.type in _GATHERS
        for child in node.children:
            below = processes[number]
            if gathers and nodes[child].relationship not in ("InitPlan", "SubPlan"):
                below = _participants(node, nodes[child])
            processes[child] = below
    return processes


def _participants(gather: Timing, child: Timing) -> float:
    """Workers and leader that ran the nodes under a Gather (the leader may have been too busy)."""
    most = 1.0 if gather.single_copy else (gather.launched or 0.0) + 1.0
    if gather.loops and child.loops:
        return min(most, max(1.0, child.loops / gather.loops))
    return most


def _elapsed(node: Timing, processes: float) -> float:
    loops = node.loops or 0.0
    return (node.total_ms or 0.0) * loops / max(1.0, min(processes, loops))


def _open_ledger(nodes: Sequence[Timing], totals: Sequence[float]) -> _Ledger:
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
    nodes: Sequence[Timing],
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
    elif node.relationship == "InitPlan":
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


def _is_cte(node: Timing) -> bool:
    return node.relationship == "InitPlan" and (node.subplan_name or "").startswith("CTE ")


def _subtree_ends(nodes: Sequence[Timing]) -> list[int]:
    """For each node the number after the last of its subtree."""
    ends = list(range(1, len(nodes) + 1))
    for number in range(len(nodes) - 1, 0, -1):
        parent = nodes[number].parent
        if parent is not None:
            ends[parent] = max(ends[parent], ends[number])
    return ends


def _readers_of_ctes(nodes: Sequence[Timing], ends: Sequence[int]) -> dict[int, list[int]]:
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
            cte = defined.get((above, node.cte_name or ""))
            if cte is not None and not cte <= number < ends[cte]:
                readers.setdefault(cte, []).append(number)
                break
            above = nodes[above].parent
    return readers


def _asker(
    number: int, nodes: Sequence[Timing], totals: Sequence[float], ends: Sequence[int]
) -> int:
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
        keys = nodes[candidate].keys
        in_condition = any(
            _says(value, mention) for key, value in keys.items() if key not in ("Output", "Plans")
        )
        if not in_condition and not _says(keys.get("Output"), mention):
            continue
        payer = _outermost_gather(candidate, parent, nodes)
        if payer != parent and totals[payer] < totals[number] * 0.99 - _ROUNDING_MS:
            continue
        if in_condition:
            return payer
        in_output.append(payer)
    return in_output[-1] if in_output else parent


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


def _outermost_gather(number: int, above: int, nodes: Sequence[Timing]) -> int:
    """The highest Gather on the way from `number` up to, but without, `above`; else `number`."""
    found = number
    at: int | None = number
    while at is not None and at != above:
        if nodes[at].type in _GATHERS:
            found = at
        at = nodes[at].parent
    return found
