"""The lines below a node in EXPLAIN's TEXT format, put into the keys of FORMAT JSON.

Most are `Key: value` with the same key in both formats. Those that are not (buffers, sorts, hashes …)
have a function here. What is not known is kept under its own key.
"""

import re
from collections.abc import Callable, Iterator

from analyzer.patterns import regex
from analyzer.plans.text_nodes import Keys, number

_DIGITS = 30  # that a figure may have
_EXACT_DIGITS = 15  # so many a float holds exactly
_NUMBER = regex(r"(-?\d{1,30}(?:\.\d{1,30})?)(?: ?(?:kB|ms))?")
_ASSIGNED = regex(r"([a-z][a-z /]{0,30})=(\S+)")
_COUNTED = regex(r"(?:(shared/local|shared|local|temp) )?(\w{1,20})=(\d{1,30}(?:\.\d{1,30})?)")
_QUOTED_OR = regex(r"""'(?:[^']|'')*+'|"(?:[^"]|"")*+"|[(),\[\]]""")
_SETTING = regex(r"([\w.]{1,200}) = '((?:[^']|'')*+)'")
_TRIGGER = regex(
    r"Trigger (?:for constraint )?(.{1,300}?)(?: on (.{1,300}?))?: (?:time=(\d+\.\d+) )?calls=(\d+)"
)
_ORIGINALLY = regex(r"(\d+)(?: \(originally (\d+)\))?")
_COUNT = r"(\d{1,15})(?: \(originally (\d{1,15})\))?"
_USUAL_HASH = regex(rf"{_COUNT}  Batches: {_COUNT}  Memory Usage: (\d{{1,15}})kB", re.ASCII)
_SAMPLING = regex(r"(.{1,200}?) \((.{0,2000}?)\)(?: REPEATABLE \((.{0,2000})\))?")
_JIT_TIME = regex(r"(\w+) (\d+\.\d+) ms(?: \(Deform (\d+\.\d+) ms\))?")
_JIT_OPTION = regex(r"(\w+) (true|false)")
BLOCKS = {
    scope: {
        what: f"{scope.title()} {what.title()} Blocks"
        for what in ("hit", "read", "dirtied", "written")
    }
    for scope in ("shared", "local", "temp")
}
_WAL = {
    "records": "WAL Records",
    "fpi": "WAL FPI",
    "bytes": "WAL Bytes",
    "fpi bytes": "WAL FPI Bytes",
    "buffers full": "WAL Buffers Full",
}
_HASH_KEYS = {
    "Buckets": ("Hash Buckets", "Original Hash Buckets"),
    "Batches": ("Hash Batches", "Original Hash Batches"),
}
_SERIALIZATION = {"time": "Time", "output": "Output Volume", "format": "Format"}
_BESIDE = {  # as versions before 11 and 9.4 spell it
    "Planning time": "Planning Time",
    "Execution time": "Execution Time",
    "Total runtime": "Execution Time",
}
TEXTS = frozenset(
    (
        *("Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter"),
        *("TID Cond", "Order By", "One-Time Filter", "Function Call", "Table Function Call"),
        *("Remote SQL", "Relations", "Cache Key", "Cache Mode", "Run Condition", "Window"),
        *("Conflict Filter", "Conflict Resolution", "Query Text", "Query Parameters"),
    )
)
LISTS = frozenset(
    ("Output", "Sort Key", "Presorted Key", "Params Evaluated", "Conflict Arbiter Indexes")
)


def add_detail(keys: Keys, key: str, value: str) -> None:
    """Put what the line `key: value` says into `keys`."""
    if key in TEXTS:
        keys[key] = value
    elif key in LISTS:
        keys[key] = items(value)
    else:
        reader = _READERS.get(key)
        if reader is None:
            keys[key] = scalar(value)
        else:
            reader(keys, value)


def scalar(value: str) -> object:
    """A value as JSON has it: number (units taken off), truth value or text."""
    digits = value.removesuffix("kB")
    if digits.isdecimal() and len(digits) <= _DIGITS:
        return int(digits)
    if found := _NUMBER.fullmatch(value):
        return number(found[1])
    return {"true": True, "false": False}.get(value, value)


def items(text: str) -> list[str]:
    """A list that is printed with commas: those in brackets and quotes are part of an item."""
    if "(" not in text and '"' not in text and "'" not in text and "[" not in text:
        return text.split(", ")
    found, depth, start = [], 0, 0
    for mark in _QUOTED_OR.finditer(text):
        sign = mark[0]
        if sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == "," and depth == 0:
            found.append(text[start : mark.start()].strip())
            start = mark.end()
    return [*found, text[start:].strip()]


def _assigned(text: str) -> Iterator[tuple[str, str]]:
    """`name=value  other name=value`, where units may follow a value."""
    for name, value in _ASSIGNED.findall(text):
        yield name.rpartition("  ")[2].strip(), value


def _buffers(keys: Keys, value: str) -> None:
    """`shared hit=12 read=3, temp read=4`, word by word; by an expression where a word is unusual."""
    names = BLOCKS["shared"]
    found: Keys = {}
    for word in value.split(" "):
        what, _, count = word.partition("=")
        if what in names:
            count = count.removesuffix(",")
            if not count.isdecimal() or len(count) > _EXACT_DIGITS:
                return _unusual_buffers(keys, value)
            found[names[what]] = int(count)
        elif what in BLOCKS and not count:
            names = BLOCKS[what]
        else:
            return _unusual_buffers(keys, value)
    keys.update(found)
    return None


def _unusual_buffers(keys: Keys, value: str) -> None:
    scope = "Shared"
    for where, what, count in _COUNTED.findall(value):
        scope = where.title() or scope
        keys[f"{scope} {what.title()} Blocks"] = int(float(count))


def _io_timings(keys: Keys, value: str) -> None:
    """Before PostgreSQL 15 no scope is printed, in 15 and 16 "shared/local": JSON names none in both."""
    scope = ""
    for where, what, time in _COUNTED.findall(value):
        scope = {"shared/local": "", "": scope}.get(where, where.title() + " ")
        keys[f"{scope}I/O {what.title()} Time"] = float(time)


def _wal(keys: Keys, value: str) -> None:
    for name, count in _assigned(value):
        keys[_WAL.get(name, f"WAL {name.title()}")] = scalar(count)


def _pairs(first: str, value: str) -> list[tuple[str, str]]:
    """`Key: value  Key: value` on one line."""
    pairs = []
    for part in f"{first}: {value}".split("  "):
        key, _, one = part.partition(": ")
        if one:
            pairs.append((key.strip(), one.strip()))
    return pairs


def _sort(keys: Keys, value: str) -> None:
    for key, one in _pairs("Sort Method", value):
        if key == "Sort Method":
            keys[key] = one
        else:
            keys["Sort Space Used"] = scalar(one)
            keys["Sort Space Type"] = key


def _sort_groups(name: str) -> Callable[[Keys, str], None]:
    def read(keys: Keys, value: str) -> None:
        group: Keys = {}
        for key, one in _pairs(name, value):
            if key == name:
                group["Group Count"] = scalar(one)
            elif key in ("Sort Method", "Sort Methods"):
                group["Sort Methods Used"] = one.split(", ")
            else:
                extent, _, kind = key.partition(" ")  # "Average Memory", "Peak Disk"
                space = group.setdefault(f"Sort Space {kind}", {})
                if isinstance(space, dict):
                    space[f"{extent} Sort Space Used"] = scalar(one)
        keys[name] = group

    return read


def _hash(keys: Keys, value: str) -> None:
    if found := _USUAL_HASH.fullmatch(value):
        buckets, first_buckets, batches, first_batches, memory = found.groups()
        keys["Hash Buckets"] = int(buckets)
        keys["Original Hash Buckets"] = int(first_buckets or buckets)
        keys["Hash Batches"] = int(batches)
        keys["Original Hash Batches"] = int(first_batches or batches)
        keys["Peak Memory Usage"] = int(memory)
        return
    for key, one in _pairs("Buckets", value):
        if key == "Memory Usage":
            keys["Peak Memory Usage"] = scalar(one)
        elif key in _HASH_KEYS and (found := _ORIGINALLY.match(one)):
            now, before = _HASH_KEYS[key]
            keys[now] = int(found[1])
            keys[before] = int(found[2] or found[1])


def _aggregate(first: str) -> Callable[[Keys, str], None]:
    names = {"Batches": "HashAgg Batches", "Memory Usage": "Peak Memory Usage"}

    def read(keys: Keys, value: str) -> None:
        keys.update({names.get(key, key): scalar(one) for key, one in _pairs(first, value)})

    return read


def _cache(keys: Keys, value: str) -> None:
    for key, one in _pairs("Hits", value):
        keys["Peak Memory Usage" if key == "Memory Usage" else f"Cache {key}"] = scalar(one)


def _cache_estimates(keys: Keys, value: str) -> None:
    names = {
        "capacity": "Estimated Capacity",
        "distinct keys": "Estimated Distinct Lookup Keys",
        "lookups": "Estimated Lookups",
        "hit percent": "Estimated Hit Percent",
    }
    for name, one in _assigned(value):
        keys[names.get(name, f"Estimated {name.title()}")] = scalar(one.rstrip("%"))


def _heap_blocks(keys: Keys, value: str) -> None:
    for name, count in _assigned(value):
        keys[f"{name.title()} Heap Blocks"] = scalar(count)


def _storage(keys: Keys, value: str) -> None:
    keys.update({key: scalar(one) for key, one in _pairs("Storage", value)})


def _memory(keys: Keys, value: str) -> None:
    keys.update({f"Memory {name.title()}": scalar(one) for name, one in _assigned(value)})


def _tuples(keys: Keys, value: str) -> None:
    keys.update({f"Tuples {name.title()}": scalar(one) for name, one in _assigned(value)})


def _sampling(keys: Keys, value: str) -> None:
    found = _SAMPLING.fullmatch(value)
    if found is None:
        keys["Sampling Method"] = value
        return
    keys["Sampling Method"] = found[1]
    keys["Sampling Parameters"] = items(found[2])
    if found[3] is not None:
        keys["Repeatable Seed"] = found[3]


def _set_keys(list_name: str) -> Callable[[Keys, str], None]:
    """Keys of an aggregate: one list, or one for each grouping set (the empty set is `()`)."""

    def read(keys: Keys, value: str) -> None:
        group = [] if value == "()" else items(value)
        if list_name == "Hash Keys":
            _grouping_sets(keys).append({list_name: [group]})
        elif "Grouping Sets" in keys:
            sets = _grouping_sets(keys)
            if list_name not in sets[-1]:
                sets.append({list_name: []})
            last = sets[-1][list_name]
            if isinstance(last, list):
                last.append(group)
        elif "Group Key" in keys:
            _grouping_sets(keys).append({list_name: [keys.pop("Group Key"), group]})
        else:
            keys["Group Key"] = group

    return read


def _grouping_sets(keys: Keys) -> list[Keys]:
    sets = keys.setdefault("Grouping Sets", [])
    return sets if isinstance(sets, list) else []


def trigger(text: str) -> Keys | None:
    """The line of a trigger, None if it is none."""
    found = _TRIGGER.fullmatch(text)
    if found is None:
        return None
    name, relation, time, calls = found.groups()
    constraint = text.startswith("Trigger for constraint ")
    keys: Keys = {"Constraint Name" if constraint else "Trigger Name": name}
    if relation is not None:
        keys["Relation"] = relation
    if time is not None:
        keys["Time"] = float(time)
    keys["Calls"] = int(calls)
    return keys


def add_beside(document: Keys, key: str, value: str, line: str) -> Keys | None:
    """Put what stands beside the tree into the document; gives the section that deeper lines add to."""
    if key in ("Planning", "JIT", "Serialization"):
        section: Keys = {
            _SERIALIZATION.get(name, name): scalar(one) for name, one in _assigned(value)
        }
        document[key] = section
        return section
    if key == "Settings":
        document[key] = settings_in(value)
    elif key.startswith("Trigger "):
        found, triggers = trigger(line), document.setdefault("Triggers", [])
        if found is not None and isinstance(triggers, list):
            triggers.append(found)
    else:
        document[_BESIDE.get(key, key)] = scalar(value)
    return None


def settings_in(text: str) -> dict[str, str]:
    """What the line `Settings:` says: `name = 'value', …`."""
    return {name: value.replace("''", "'") for name, value in _SETTING.findall(text)}


def add_jit(keys: Keys, key: str, value: str) -> None:
    """A line below `JIT:`."""
    if key == "Options":
        keys[key] = {name: truth == "true" for name, truth in _JIT_OPTION.findall(value)}
    elif key == "Timing":
        timing: Keys = {}
        for name, time, deform in _JIT_TIME.findall(value):
            whole = float(time)
            timing[name] = {"Deform": float(deform), "Total": whole} if deform else whole
        keys[key] = timing
    else:
        keys[key] = scalar(value)


_READERS: dict[str, Callable[[Keys, str], None]] = {
    "Buffers": _buffers,
    "I/O Timings": _io_timings,
    "WAL": _wal,
    "Sort Method": _sort,
    "Full-sort Groups": _sort_groups("Full-sort Groups"),
    "Pre-sorted Groups": _sort_groups("Pre-sorted Groups"),
    "Buckets": _hash,
    "Planned Partitions": _aggregate("Planned Partitions"),
    "Batches": _aggregate("Batches"),
    "Hits": _cache,
    "Estimates": _cache_estimates,
    "Heap Blocks": _heap_blocks,
    "Storage": _storage,
    "Memory": _memory,
    "Tuples": _tuples,
    "Sampling": _sampling,
    "Group Key": _set_keys("Group Keys"),
    "Hash Key": _set_keys("Hash Keys"),
}
# Details that hold figures and PostgreSQL's own words, and nothing of a statement.
FIGURE_KEYS = frozenset(
    (
        *(_READERS.keys() - {"Sampling", "Group Key", "Hash Key"}),
        *("Planning", "JIT", "Functions", "Options", "Timing", "Serialization", "Inner Unique"),
        *("Single Copy", "Disabled", "Planning Time", "Execution Time"),
    )
)
KNOWN_KEYS = TEXTS | LISTS | _READERS.keys()
