"""EXPLAIN (FORMAT YAML): the small part of YAML that PostgreSQL writes, from lines to documents.

PostgreSQL quotes every text as JSON does, on one line, and writes numbers and truth values bare, so
what is read is: keys, lists with dashes, lists in brackets, and these scalars. Anchors, tags, folded
texts and whatever else YAML has is refused. Where it was compiled, native/_yaml reads what comes bare and whole.
"""

import json
import re
from collections.abc import Iterator

from analyzer.native import compiled
from analyzer.patterns import regex
from analyzer.plans.dressing import FIRST, LAST, undressed
from analyzer.plans.found import Found, PlanProblemError, is_rooted, merge_workers
from analyzer.plans.text_lines import head_of
from analyzer.plans.text_nodes import Keys

_ENTRY = regex(r"([A-Za-z][\w./ -]{0,200}?): ?(.*)", re.DOTALL)
_FIRST = regex(r"\s*(?:- )?(?:Plan|Query Text|Query Identifier): ?")
_NUMBER = regex(r"-?\d{1,30}(\.\d{1,30})?(?:[eE][-+]?\d{1,3})?")
_WORDS = {"true": True, "false": False, "null": None, "~": None}
_DEEPEST = 1500  # containers: a node is two
_SHOWN = 80
_decode = json.JSONDecoder(strict=False).decode


class _CutError(ValueError):
    """A line ends before its value does."""


class _Document:
    """One document while its lines come: open containers with their columns, the innermost last."""

    def __init__(self, number: int, column: int) -> None:
        self.line = number
        self.end = number
        self.keys: Keys = {}
        self.truncated = False
        self._open: list[tuple[int, Keys | list[object]]] = [(column, self.keys)]
        self._workers: list[tuple[Keys, object]] = []  # nodes, and the first of their two lists
        self._pending: str | None = None  # a key of the innermost whose value is on deeper lines

    def take(self, column: int, text: str) -> None:
        """One line. Raises PlanProblemError where it is none that PostgreSQL writes."""
        while len(self._open) > 1 and self._open[-1][0] > column:
            self._open.pop()
            self._pending = None
        if text.startswith("- ") or text == "-":
            self._item(column, text)
        else:
            self._entry(column, text)

    def ends_before(self, column: int, text: str) -> bool:
        """Whether a line is no more of this document: another one begins, or something else."""
        base = self._open[0][0]
        if column < base:
            return True
        found = _ENTRY.fullmatch(text)
        return column == base and (found is None or found[1] in self.keys)

    def _item(self, column: int, text: str) -> None:
        top_column, top = self._open[-1]
        if isinstance(top, dict):
            if self._pending is None or column < top_column:
                raise PlanProblemError("a list where none belongs")
            below: list[object] = []
            top[self._pending] = below
            self._push(column, below)
            top = below
        rest = text[2:].lstrip()
        if _ENTRY.fullmatch(rest) and rest[:1] not in ('"', "["):
            keys: Keys = {}
            top.append(keys)
            inside = column + len(text) - len(rest)
            self._push(inside, keys)
            self._entry(inside, rest)
        elif rest:
            top.append(_value(rest))
        else:
            raise PlanProblemError("an item without a value")

    def _entry(self, column: int, text: str) -> None:
        found = _ENTRY.fullmatch(text)
        top_column, top = self._open[-1]
        if found is None:
            raise PlanProblemError("neither a key nor a list")
        if column > top_column:
            if not isinstance(top, dict) or self._pending is None:
                raise PlanProblemError("deeper than what it belongs to")
            inner: Keys = {}
            top[self._pending] = inner
            self._push(column, inner)
            top = inner
        if not isinstance(top, dict) or column < top_column:
            raise PlanProblemError("a key where none belongs")
        key, value = found[1], found[2].strip()
        if key == "Workers" and key in top:
            self._workers.append((top, top.pop(key)))
        top[key] = _value(value) if value else []
        self._pending = None if value else key

    def close(self) -> None:
        """The end: what came twice becomes one."""
        for keys, first in self._workers:
            keys["Workers"] = merge_workers(first, keys["Workers"])

    def _push(self, column: int, container: Keys | list[object]) -> None:
        if len(self._open) >= _DEEPEST:
            raise PlanProblemError("nested too deeply for a plan")
        self._open.append((column, container))
        self._pending = None


def documents(text: str) -> Iterator[Found]:
    """Each plan of a text.

    Raises:
        PlanProblemError: a line is none that EXPLAIN writes; says which.
    """
    quick = _quick(text)
    if quick is not None:
        document, end = quick
        yield Found(document, text[:end])
    else:
        yield from slow_documents(text)


def _quick(text: str) -> tuple[Keys, int] | None:
    """The document of the one plan of a bare text, and where it ends; None where it is not all of it."""
    if _QUICK is None:
        return None
    try:
        found: tuple[Keys, int] | None = _QUICK.document(text)
    except (_CutError, PlanProblemError):  # told with its line below
        return None
    return found


def slow_documents(text: str) -> Iterator[Found]:
    """The same for any text, line by line."""
    lines = undressed(text)
    last = max((number for number, line in enumerate(lines, 1) if line.strip()), default=0)
    document: _Document | None = None
    duration_ms: float | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip()
        bare = line.lstrip()
        if not bare:
            continue
        column = len(line) - len(bare)
        if document is not None and (document.ends_before(column, bare) or head_of(bare)):
            yield from _found(document, lines, duration_ms)
            document = None
        if document is None:
            duration_ms = head_of(bare) or duration_ms
            if not _FIRST.match(line):
                continue
            inside = 2 if bare.startswith("- ") else 0
            document = _Document(number, column + inside)
            column, bare = column + inside, bare[inside:]
        if not _taken(document, column, bare, number, last=number == last):
            break
    if document is not None:
        yield from _found(document, lines, duration_ms)


def _taken(document: _Document, column: int, text: str, number: int, *, last: bool) -> bool:
    """Have a document take a line; False if the text ends within this line."""
    try:
        document.take(column, text)
    except (_CutError, PlanProblemError) as problem:
        if last:
            document.truncated = True
            return False
        raise PlanProblemError(f"line {number}: {problem}: {text[:_SHOWN]!r}") from problem
    document.end = number
    return True


def _found(document: _Document, lines: list[str], duration_ms: float | None) -> Iterator[Found]:
    document.close()
    if isinstance(document.keys.get("Plan"), dict) and (
        not document.truncated or is_rooted(document.keys)
    ):
        raw = "\n".join(lines[document.line - 1 : document.end])
        yield Found(document.keys, raw, document.line, document.truncated, duration_ms=duration_ms)


def _value(text: str) -> object:
    if text[0] in '"[':
        try:
            return _decode(text)
        except (ValueError, RecursionError) as error:
            raise _CutError("a text or list without an end") from error
    if found := _NUMBER.fullmatch(text):
        return float(text) if found[1] or "e" in text.lower() else int(text)
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "&*!|>%@`{":
        raise PlanProblemError("YAML that EXPLAIN never writes")
    return text


_NATIVE = compiled("analyzer.plans.native._yaml")
_QUICK = (
    _NATIVE.Yaml(
        _value,
        *(
            "".join(one for one in marks if one.isascii()).encode()
            for marks in (sorted(FIRST), LAST)
        ),
    )
    if _NATIVE is not None
    else None
)
