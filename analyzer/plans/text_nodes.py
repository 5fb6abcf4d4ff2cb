"""The line of a node in EXPLAIN's TEXT format, put into the keys of FORMAT JSON.

    ->  Parallel Index Scan Backward using i on public.orders o  (cost=0.42..8.44 rows=1 width=12) (actual …)

The words are those of ExplainNode() in PostgreSQL's explain.c, 9.6 to 18. A type that is not known
here is kept under its own name.
"""

from collections.abc import Sequence
from functools import lru_cache

from analyzer.patterns import regex

# A space may have gone where a terminal broke the line.
_COST = r"\(cost=(\d+\.\d+)\.\.(\d+\.\d+) ?rows=(\d+) ?width=(\d+)\)"
_ACTUAL = r"\((?:actual ?(?:time=(\d+\.\d+)\.\.(\d+\.\d+) ?)?rows=(\d+(?:\.\d+)?) ?loops=(\d+)|(never executed))\)"
_FIGURES = regex(rf"{_COST} ?(?:{_ACTUAL})?|{_ACTUAL}")
_ACTUALS = regex(r"actual (?:time=(\d+\.\d+)\.\.(\d+\.\d+) )?rows=(\d+(?:\.\d+)?) loops=(\d+)")
_OPENINGS = ("(cost=", "(actual ", "(never executed)")
_LONGEST = 2000  # characters of a description: names have 63 bytes each

_JOIN = regex(
    r"(Nested Loop|Hash|Merge)(?: (Left|Right|Full|Semi|Anti|Right Semi|Right Anti))? Join"
)
_SET_OPERATION = regex(r"(Hash)?SetOp (.{1,40})")
_CUSTOM = regex(r"Custom Scan \(([^)]{1,200})\)")
_IDENTIFIER = regex(r'"(?:[^"]|"")*+"|[^\s".]++')
_WORDS_OF_TYPE = regex(r" (?:Backward|using|on) ?")

_PREFIXES = {
    "Parallel ": ("Parallel Aware", True),
    "Async ": ("Async Capable", True),
    "Partial ": ("Partial Mode", "Partial"),
    "Finalize ": ("Partial Mode", "Finalize"),
}
_AGGREGATES = {
    "Aggregate": "Plain",
    "GroupAggregate": "Sorted",
    "HashAggregate": "Hashed",
    "MixedAggregate": "Mixed",
}
_OPERATIONS = ("Insert", "Update", "Delete", "Merge")
# What a scan is on, where it is no table. Of a subquery and of VALUES there is the alias alone.
_TARGETS = {
    "Function Scan": "Function Name",
    "Table Function Scan": "Table Function Name",
    "CTE Scan": "CTE Name",
    "WorkTable Scan": "CTE Name",
    "Named Tuplestore Scan": "Tuplestore Name",
    "Subquery Scan": None,
    "Values Scan": None,
}
_ORDERED = ("Index Scan", "Index Only Scan")
_PLAIN = (
    *("Result", "ProjectSet", "Append", "Merge Append", "Recursive Union", "BitmapAnd", "BitmapOr"),
    *("Nested Loop", "Hash", "Gather", "Gather Merge", "Materialize", "Memoize", "Sort"),
    *("Incremental Sort", "Group", "WindowAgg", "Unique", "LockRows", "Limit", "Result Cache"),
)
_SCANS = (
    *("Seq Scan", "Sample Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"),
    *("Bitmap Heap Scan", "Tid Scan", "Tid Range Scan", "Foreign Scan", "Custom Scan"),
    *_TARGETS,
)
KNOWN_TYPES = frozenset(
    (*_PLAIN, *_SCANS, "Aggregate", "ModifyTable", "SetOp", "Hash Join", "Merge Join")
)

Keys = dict[str, object]


def number(text: str) -> int | float:
    """A figure as JSON would have it: with a point it is a float."""
    return float(text) if "." in text else int(text)


def figures_at(text: str) -> int:
    """Where the costs or times of a node's line begin, -1 where it has none."""
    for opening in _OPENINGS:
        at = text.find(opening)
        if at >= 0:
            return at
    return -1


def node_keys(text: str) -> Keys | None:
    """The keys of a node's line (without its arrow); None if its figures are broken or cut off."""
    at = figures_at(text)
    if at < 0:
        return described(text.rstrip()[:_LONGEST])
    found = _FIGURES.match(text, at)
    if found is None:
        return None
    figures = found.groups()
    actual = figures[4:9] if figures[0] is not None else figures[9:]
    if not (actual[2] or actual[4]) and text.find("(", found.end()) >= 0:
        return None
    keys = described(text[:at].rstrip()[-_LONGEST:])
    add_figures(keys, (*figures[:4], *actual))
    return keys


def add_figures(keys: Keys, figures: Sequence[str | None]) -> None:
    """Put the figures of a node's line into its keys.

    Args:
        keys: the node's.
        figures: both costs, rows and width; both times, rows, loops, "never executed". What is not
            printed is empty or None.
    """
    cost_from, cost_to, rows, width, from_ms, to_ms, came, loops, never = figures
    if cost_from and cost_to and rows and width:
        keys["Startup Cost"] = float(cost_from)
        keys["Total Cost"] = float(cost_to)
        keys["Plan Rows"] = int(rows)
        keys["Plan Width"] = int(width)
    if came and loops:
        if from_ms and to_ms:
            keys["Actual Startup Time"] = float(from_ms)
            keys["Actual Total Time"] = float(to_ms)
        keys["Actual Rows"] = float(came) if "." in came else int(came)
        keys["Actual Loops"] = int(loops)
    elif never:
        keys["Actual Rows"] = keys["Actual Loops"] = 0


def worker_keys(text: str) -> Keys | None:
    """The keys of `actual time=… rows=… loops=…` as said of one worker; None if it is none."""
    found = _ACTUALS.match(text)
    if found is None:
        return None
    keys: Keys = {}
    add_figures(keys, (None, None, None, None, *found.groups(), None))
    return keys


def is_node(text: str) -> bool:
    """Whether a description without figures is one of a known type of node."""
    keys = described(text.rstrip()[:_LONGEST])
    return keys["Node Type"] in KNOWN_TYPES and "Description" not in keys


def described(text: str) -> Keys:
    """The keys that a description stands for ("Partial HashAggregate", "Seq Scan on o")."""
    return known_description(text).copy()


@lru_cache(maxsize=2048)
def known_description(text: str) -> Keys:
    """What `described` gives, the same object each time: to be copied."""
    keys: Keys = {}
    for prefix, (key, value) in _PREFIXES.items():
        if text.startswith(prefix):
            text = text.removeprefix(prefix)
            keys[key] = value
    if text in _AGGREGATES:
        keys = {"Partial Mode": "Simple", **keys}
        keys.update({"Node Type": "Aggregate", "Strategy": _AGGREGATES[text]})
    elif text in _PLAIN:
        keys["Node Type"] = text
        if text == "Nested Loop":
            keys["Join Type"] = "Inner"
    elif join := _JOIN.fullmatch(text):
        loop = join[1] == "Nested Loop"
        keys["Node Type"] = join[1] if loop else f"{join[1]} Join"
        keys["Join Type"] = join[2] or "Inner"
    elif operation := _SET_OPERATION.fullmatch(text):
        strategy = "Hashed" if operation[1] else "Sorted"
        keys.update({"Node Type": "SetOp", "Strategy": strategy, "Command": operation[2]})
    else:
        _add_scan(keys, text)
    return keys


def _add_scan(keys: Keys, text: str) -> None:
    """Scans and what writes: a type, an index, what it is on."""
    custom = _CUSTOM.match(text)
    begin = custom.end() if custom else 0
    words = _WORDS_OF_TYPE.search(text, begin)
    kind = text[: words.start()] if words else text
    rest = text[words.start() :] if words else ""
    if custom:
        kind, keys["Custom Plan Provider"] = "Custom Scan", custom[1]
    elif kind in _OPERATIONS:
        kind, keys["Operation"] = "ModifyTable", kind
    elif kind.startswith("Foreign ") and kind[8:] in _OPERATIONS:
        kind, keys["Operation"] = "Foreign Scan", kind[8:]
    keys["Node Type"] = kind
    if kind in _ORDERED:
        backward = rest.startswith(" Backward")
        keys["Scan Direction"] = "Backward" if backward else "Forward"
        rest = rest.removeprefix(" Backward")
    if rest.startswith(" using ") and (index := _IDENTIFIER.match(rest, 7)):
        keys["Index Name"] = unquoted(index[0])
        rest = rest[index.end() :]
    if rest.startswith(" on "):
        rest = _add_target(keys, kind, rest[4:])
    if rest.strip():
        keys["Description"] = text


def _add_target(keys: Keys, kind: str, text: str) -> str:
    """What a node is on: `schema.name alias`. Gives what of the text is left."""
    names, at = [], 0
    while found := _IDENTIFIER.match(text, at):
        names.append(unquoted(found[0]))
        at = found.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    alias = _IDENTIFIER.match(text, at + 1) if text[at : at + 1] == " " else None
    if not names:
        return text
    if kind == "Bitmap Index Scan":
        keys["Index Name"] = names[-1]
        return text[at:]
    target = _TARGETS.get(kind, "Relation Name")
    if target is not None:
        keys[target] = names[-1]
    if len(names) > 1:
        keys["Schema"] = names[-2]
    keys["Alias"] = unquoted(alias[0]) if alias else names[-1]
    return text[alias.end() :] if alias else text[at:]


def target_keys(text: str) -> Keys | None:
    """One of several tables that a node writes to: `Update on public.part_1 p`; None if it is none."""
    kind, on, rest = text.partition(" on ")
    if not on or kind.removeprefix("Foreign ") not in _OPERATIONS:
        return None
    keys: Keys = {}
    return None if _add_target(keys, "ModifyTable", rest).strip() else keys


def unquoted(name: str) -> str:
    """An identifier without its double quotes."""
    return name[1:-1].replace('""', '"') if name[:1] == '"' else name
