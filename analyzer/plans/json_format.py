"""EXPLAIN (FORMAT JSON) and auto_explain's JSON: from text to documents.

A document is a dictionary with a "Plan" key. It is found bare, in arrays, in a row that a client
exported ({"QUERY PLAN": …}), after other text, or under psql's decoration.
"""

import json
from collections.abc import Iterator

import orjson

from analyzer.native import compiled
from analyzer.plans.decoration import undecorated
from analyzer.plans.found import Document, Found, PlanProblemError, is_rooted, merge_workers
from analyzer.plans.truncated import closed

_FIRST_KEYS = ('"Plan"', '"Query Text"', '"Node Type"', '"QUERY PLAN"')
_OPENING = "[{ \t\r\n"
_WORKERS = '"Workers":'
_ABOVE_NODES = ("Plans", "Plan", "QUERY PLAN")
_NATIVE = compiled("analyzer.plans.native._nodes")


def documents(text: str) -> Iterator[Found]:
    """Each plan document of a text with the JSON it was read from; one that is cut off, too.

    Raises:
        PlanProblemError: the JSON is broken or nested too deeply; says at which line.
    """
    clean = text if _is_bare(text) else undecorated(text)
    at = _next_start(clean, 0)
    quick = _one_value(clean, at) if at >= 0 else None
    while at >= 0:
        try:
            value, end = quick or _DECODER.raw_decode(clean, at)
            quick = None
        except (ValueError, RecursionError) as error:
            if not _looks_like_plan(clean, at):
                at = _next_start(clean, _line_end(clean, at))
                continue
            found = _cut(clean, at)
            if not found:
                raise PlanProblemError(_describe(clean, error)) from error
            yield from found
            return
        if _has_workers(value) and clean.count(_WORKERS, at, end) > _count_workers(value):
            value = json.loads(clean[at:end], object_pairs_hook=_paired, strict=False)
        line = clean.count("\n", 0, at) + 1
        documents_here = list(_unwrap(value))
        for document in documents_here:
            alone = len(documents_here) == 1
            raw = clean[at:end] if alone else json.dumps([document], indent=2)
            yield Found(document, raw, line)
        at = _next_start(clean, end)


def _one_value(text: str, at: int) -> tuple[object, int] | None:
    """The JSON value that a text holds from a place to its end, and where it ends; None if it does not.

    Most texts are one value of plain JSON, which orjson reads in less than half the time. What it refuses
    (several values, text after them, control characters in strings, a text cut off) is for `json`.
    """
    try:
        return orjson.loads(text[at:]), len(text.rstrip())
    except orjson.JSONDecodeError:
        return None


def _has_workers(value: object) -> bool:
    """Whether a node has the key Workers: the text need not be searched for a second one if none has."""
    if _NATIVE is not None:
        return bool(_NATIVE.has_key(value, "Workers", _ABOVE_NODES))
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting += current
        elif isinstance(current, dict):
            if "Workers" in current:
                return True
            waiting += [current[key] for key in _ABOVE_NODES if key in current]
    return False


def _count_workers(value: object) -> int:
    """How many objects have the key Workers."""
    count, waiting = 0, [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            count += "Workers" in current
            waiting.extend(one for one in current.values() if isinstance(one, dict | list))
        elif isinstance(current, list):
            waiting.extend(one for one in current if isinstance(one, dict | list))
    return count


def _paired(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object that may have the key Workers twice."""
    keys: dict[str, object] = {}
    for key, value in pairs:
        keys[key] = merge_workers(keys[key], value) if key == "Workers" and key in keys else value
    return keys


def _cut(text: str, at: int) -> list[Found]:
    """The plan that ends before its JSON does, as far as it goes."""
    mended = closed(text, at)
    if mended is None:
        return []
    try:
        value = json.loads(mended, parse_constant=_refuse_constant, strict=False)
    except (ValueError, RecursionError):
        return []
    line = text.count("\n", 0, at) + 1
    raw = text[at:].rstrip()
    documents = [document for document in _unwrap(value) if is_rooted(document)]
    return [Found(document, raw, line, truncated=True) for document in documents]


def _is_bare(text: str) -> bool:
    """Whether the text as it is starts and ends like JSON, with no decoration to take off."""
    stripped = text.strip()
    marked = "+" in text and "+\n" in text  # one character is found much faster than two
    return stripped[:1] in ("[", "{") and stripped[-1:] in ("]", "}") and not marked


def _next_start(text: str, at: int) -> int:
    """Where the next line (or the rest of this one) begins with a bracket, -1 if none does."""
    while at < len(text):
        begin = at
        while begin < len(text) and text[begin].isspace():
            begin += 1
        if text[begin : begin + 1] in ("[", "{") and begin < len(text):
            return begin
        at = _line_end(text, begin)
    return -1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _looks_like_plan(text: str, at: int) -> bool:
    """Whether what begins here was meant to be a plan: a log's line may begin with a bracket, too."""
    while text[at : at + 1] in _OPENING and at < len(text):
        at += 1
    return at == len(text) or text.startswith(_FIRST_KEYS, at)


def _unwrap(value: object) -> Iterator[Document]:
    """Documents inside arrays, exported rows and bare nodes; anything else is passed over."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(reversed(current))
        elif isinstance(current, dict):
            if isinstance(current.get("Plan"), dict):
                yield current
            elif "Node Type" in current:
                yield {"Plan": current}
            elif "QUERY PLAN" in current:
                waiting.append(current["QUERY PLAN"])
        elif isinstance(current, str) and _looks_like_plan(current, 0):
            yield from (found.document for found in documents(current))


def _describe(text: str, error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg} (JSON broken or truncated)"
    if isinstance(error, RecursionError):
        return "nested too deeply for a plan"
    return f"JSON that cannot be read: {error} (it begins {text.strip()[:40]!r})"


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no figure")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, strict=False)
