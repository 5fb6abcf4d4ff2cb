"""Plans for the benchmark: one of 27 nodes, with figures of its own each time, as EXPLAIN prints it.

A parallel aggregate over eight tables that are joined by hashes, executed with BUFFERS. The times of a
plan agree with each other, and the scan at its bottom keeps little of what it reads: one finding, as most
plans in logs have. All four formats are written with the keys, spaces and zeros of PostgreSQL 16.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

_TABLES = 8
_BLOCKS = tuple(
    f"{scope} {what} Blocks"
    for scope in ("Shared", "Local", "Temp")
    for what in ("Hit", "Read", "Dirtied", "Written")
    if (scope, what) not in (("Temp", "Hit"), ("Temp", "Dirtied"))
)
Keys = dict[str, Any]


def plan_document(seed: int) -> Keys:
    """A plan with the keys of FORMAT JSON, in their order."""
    chance = Random(seed)  # noqa: S311 - figures, not secrets
    state = chance.choice(("new", "paid", "sent"))
    tree = _node(
        chance, "Seq Scan", {"Relation Name": "t0", "Alias": "t0"}, chance.uniform(100, 500),
        {"Filter": f"(state = '{state}'::text)", "Rows Removed by Filter": 190_000},
        rows=chance.randrange(100, 4_000), parallel=True,
    )  # fmt: skip
    for number in range(1, _TABLES):
        name = {
            "Index Name": f"t{number}_pkey",
            "Relation Name": f"t{number}",
            "Alias": f"t{number}",
        }
        scan = _node(
            chance, "Index Scan", {"Scan Direction": "Forward"} | name, chance.uniform(0.5, 9),
            {"Index Cond": f"(id < {chance.randrange(90_000)})"}, rows=chance.randrange(1, 9_000),
        )  # fmt: skip
        buckets: Keys = {"Hash Buckets": 32768, "Original Hash Buckets": 32768}
        buckets |= {"Hash Batches": 1, "Original Hash Batches": 1, "Peak Memory Usage": 1194}
        table = _node(chance, "Hash", {}, 0.4, buckets, scan)
        joined = {"Inner Unique": True, "Hash Cond": f"(t0.t{number}_id = t{number}.id)"}
        tree = _node(chance, "Hash Join", {"Join Type": "Inner"}, 2, joined, tree, table)
    partial = {"Strategy": "Hashed", "Partial Mode": "Partial"}
    grouped: Keys = {"Group Key": ["t1.email"], "Planned Partitions": 0}
    grouped |= {"HashAgg Batches": 1, "Peak Memory Usage": 161, "Disk Usage": 0}
    tree = _node(chance, "Aggregate", partial, 3, grouped, tree)
    workers = {"Workers Planned": 2, "Workers Launched": 2, "Single Copy": False}
    tree = _node(chance, "Gather", {}, 1, workers, tree)
    tree = _node(chance, "Aggregate", partial | {"Partial Mode": "Finalize"}, 3, grouped, tree)
    order: Keys = {"Sort Key": ["(sum(t0.amount)) DESC"], "Sort Method": "quicksort"}
    order |= {"Sort Space Used": 25, "Sort Space Type": "Memory"}
    tree = _node(chance, "Sort", {}, 1, order, tree, rows=20)
    root = _node(chance, "Limit", {}, 0.1, {}, tree, rows=20)
    del root["Parent Relationship"]
    took = root["Actual Total Time"]
    return {"Plan": root, "Planning Time": 1.234, "Triggers": [], "Execution Time": took + 0.5}


def _node(
    chance: Random, kind: str, named: Keys, own_ms: float, details: Keys, *below: Keys,
    rows: int | None = None, parallel: bool = False,
) -> Keys:  # fmt: skip
    for child, side in zip(below, ("Outer", "Inner"), strict=False):
        child["Parent Relationship"] = side
    rows = chance.randrange(1, 9_000) if rows is None else rows
    start = round(own_ms / 2 + sum(child["Actual Startup Time"] for child in below), 3)
    ends = round(own_ms + sum(child["Actual Total Time"] for child in below), 3)
    cost = round(own_ms * 10 + sum(child["Total Cost"] for child in below), 2)
    strategy = {key: named.pop(key) for key in ("Strategy", "Partial Mode") if key in dict(named)}
    keys = {"Node Type": kind, **strategy, "Parent Relationship": "", "Parallel Aware": parallel}
    keys |= {
        "Async Capable": False,
        **named,
        "Startup Cost": round(cost / 2, 2),
        "Total Cost": cost,
    }
    keys |= {"Plan Rows": rows + 5, "Plan Width": 42, "Actual Startup Time": start}
    keys |= {"Actual Total Time": ends, "Actual Rows": rows, "Actual Loops": 1, **details}
    for name in _BLOCKS:
        keys[name] = sum(child[name] for child in below)
    keys["Shared Hit Blocks"] += chance.randrange(1, 900)
    keys["Shared Read Blocks"] += chance.randrange(1, 90)
    return {**keys, **({"Plans": list(below)} if below else {})}


def as_json(document: Keys) -> str:
    """FORMAT JSON."""
    return json.dumps([document], indent=2)


def as_yaml(document: Keys) -> str:
    """FORMAT YAML."""
    return "- " + "\n".join(_yaml(document, 2))[2:] + "\n"


def _yaml(keys: Keys, indent: int) -> Iterator[str]:
    space = " " * indent
    for key, value in keys.items():
        if isinstance(value, dict):
            yield f"{space}{key}: "
            yield from _yaml(value, indent + 2)
        elif isinstance(value, list):
            yield f"{space}{key}: "
            for one in value:
                if isinstance(one, dict):
                    first, *others = _yaml(one, indent + 4)
                    yield f"{space}  - {first.lstrip()}"
                    yield from others
                else:
                    yield f"{space}  - {json.dumps(one)}"
        else:
            yield f"{space}{key}: {json.dumps(value)}"


def as_xml(document: Keys) -> str:
    """FORMAT XML."""
    lines = ['<explain xmlns="http://www.postgresql.org/2009/explain">', "  <Query>"]
    return "\n".join([*lines, *_xml(document, 4), "  </Query>", "</explain>"]) + "\n"


def _xml(keys: Keys, indent: int) -> Iterator[str]:
    space = " " * indent
    for key, value in keys.items():
        tag = key.replace(" ", "-").replace("/", "-")
        if isinstance(value, dict | list):
            yield f"{space}<{tag}>"
            if isinstance(value, dict):
                yield from _xml(value, indent + 2)
            else:
                for one in value:
                    if isinstance(one, dict):
                        yield from _xml({"Plan": one}, indent + 2)
                    else:
                        yield f"{space}  <Item>{one}</Item>"
            yield f"{space}</{tag}>"
        else:
            text = json.dumps(value) if isinstance(value, bool) else str(value)
            yield f"{space}<{tag}>{text.replace('<', '&lt;')}</{tag}>"


def as_text(document: Keys) -> str:
    """FORMAT TEXT."""
    lines = list(_text(document["Plan"], 0))
    lines.append(f"Planning Time: {document['Planning Time']:.3f} ms")
    lines.append(f"Execution Time: {document['Execution Time']:.3f} ms")
    return "\n".join(lines) + "\n"


def _text(keys: Keys, depth: int) -> Iterator[str]:
    column = 6 * depth - 4
    arrow = f"{' ' * column}->  " if depth else ""
    yield (
        f"{arrow}{_described(keys)}  (cost={keys['Startup Cost']:.2f}..{keys['Total Cost']:.2f} "
        f"rows={keys['Plan Rows']} width={keys['Plan Width']}) (actual time="
        f"{keys['Actual Startup Time']:.3f}..{keys['Actual Total Time']:.3f} "
        f"rows={keys['Actual Rows']} loops={keys['Actual Loops']})"
    )
    inside = " " * (column + 6 if depth else 2)
    for line in _details(keys):
        yield inside + line
    for child in keys.get("Plans", ()):
        yield from _text(child, depth + 1)


def _described(keys: Keys) -> str:
    name = keys["Node Type"]
    if name == "Aggregate":
        name = f"{keys['Partial Mode']} HashAggregate"
    if "Index Name" in keys:
        name += f" using {keys['Index Name']}"
    if "Relation Name" in keys:
        name += f" on {keys['Relation Name']}"
    return f"Parallel {name}" if keys["Parallel Aware"] else name


def _details(keys: Keys) -> Iterator[str]:
    for key in ("Hash Cond", "Index Cond", "Filter", "Rows Removed by Filter"):
        if key in keys:
            yield f"{key}: {keys[key]}"
    for key in ("Sort Key", "Group Key"):
        if key in keys:
            yield f"{key}: {', '.join(keys[key])}"
    if "Sort Method" in keys:
        yield "Sort Method: quicksort  Memory: 25kB"
    if "HashAgg Batches" in keys:
        yield "Batches: 1  Memory Usage: 161kB"
    if "Hash Buckets" in keys:
        yield "Buckets: 32768  Batches: 1  Memory Usage: 1194kB"
    for key in ("Workers Planned", "Workers Launched"):
        if key in keys:
            yield f"{key}: {keys[key]}"
    yield f"Buffers: shared hit={keys['Shared Hit Blocks']} read={keys['Shared Read Blocks']}"
