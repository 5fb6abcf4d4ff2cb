"""EXPLAIN (FORMAT XML): elements become the keys of FORMAT JSON.

Expat is driven directly: a document type declaration, and with it every entity that could expand, is
refused where it begins, and a text that ends too early gives what came before. Where it was compiled,
native/_xml reads what is as PostgreSQL writes it, bare and whole.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NoReturn
from xml.parsers import expat

from analyzer.native import compiled
from analyzer.patterns import regex
from analyzer.plans.decoration import undecorated
from analyzer.plans.found import Found, PlanProblemError, is_rooted, merge_workers
from analyzer.plans.text_lines import head_of
from analyzer.plans.text_nodes import Keys, number

_START = regex(r"<explain\b")
_NUMBER = regex(r"-?\d{1,30}(?:\.\d{1,30})?")
_EARLY = (
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
)
_DEEPEST = 1500
# Names with a hyphen of their own; in all others a hyphen stands for a space or a slash.
_HYPHENED = {
    "One-Time-Filter": "One-Time Filter",
    "Full-sort-Groups": "Full-sort Groups",
    "Pre-sorted-Groups": "Pre-sorted Groups",
}
_LISTS = frozenset(("Plans", "Workers", "Triggers", "Target-Tables", "Grouping-Sets"))
_READ_HERE = frozenset(("Settings", "Query", "explain"))  # not as all others are
# What is text in JSON even where it reads as a number or a truth value.
_TEXTS = frozenset(
    (
        *("Node Type", "Parent Relationship", "Subplan Name", "Relation Name", "Schema", "Alias"),
        *("Index Name", "CTE Name", "Function Name", "Table Function Name", "Tuplestore Name"),
        *("Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter"),
        *("TID Cond", "Order By", "One-Time Filter", "Function Call", "Table Function Call"),
        *("Remote SQL", "Relations", "Cache Key", "Cache Mode", "Run Condition", "Window"),
        *("Conflict Filter", "Conflict Resolution", "Query Text", "Query Parameters"),
        *("Trigger Name", "Constraint Name", "Relation", "Repeatable Seed", "Sampling Method"),
    )
)


class _Element:
    """An open element: its children if it has any, else its text."""

    __slots__ = ("children", "tag", "texts")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.children: Keys | list[object] | None = [] if tag in _LISTS else None
        self.texts: list[str] = []


class _Reader:
    """Builds the documents of one <explain> as expat comes along."""

    def __init__(self) -> None:
        self.documents: list[Keys] = []
        self.done = False
        self._open: list[_Element] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse

    def _start(self, tag: str, _attributes: object) -> None:
        if len(self._open) >= _DEEPEST:
            raise PlanProblemError("nested too deeply for a plan")
        self._open.append(_Element(tag))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].texts.append(text)

    def _end(self, tag: str) -> None:
        element = self._open.pop()
        if tag == "Query" or not self._open:
            if isinstance(element.children, dict) and isinstance(
                element.children.get("Plan"), dict
            ):
                self.documents.append(element.children)
            self.done = not self._open
            return
        _add(self._open[-1], element)

    def close(self) -> None:
        """End what is open as if the text did so; the innermost, if it is a text, is cut and left out."""
        if self._open and self._open[-1].children is None:
            self._open.pop()
        while self._open and not self.done:
            self._end(self._open[-1].tag)


def documents(text: str) -> Iterator[Found]:
    """Each plan of a text.

    Raises:
        PlanProblemError: the XML is broken, or declares a document type; says where.
    """
    quick = _QUICK.document(text) if _QUICK is not None else None
    if quick is not None:
        document, end = quick
        yield Found(document, text[:end])
    else:
        yield from slow_documents(text)


def slow_documents(text: str) -> Iterator[Found]:
    """The same for any text."""
    clean = undecorated(text)
    starts = [found.start() for found in _START.finditer(clean)]
    for start, end in pairwise([*starts, len(clean)]):
        closing = clean.find("</explain>", start, end)
        raw = clean[start : closing + 10 if closing >= 0 else end].rstrip()
        line = clean.count("\n", 0, start) + 1
        before = clean[max(0, start - 300) : start].rstrip().rsplit("\n", 1)[-1]
        reader = _Reader()
        truncated = _feed(reader, raw, line)
        for document in reader.documents:
            if truncated and not is_rooted(document):
                continue
            yield Found(document, raw, line, truncated, duration_ms=head_of(before))


def _feed(reader: _Reader, raw: str, line: int) -> bool:
    """Read one <explain>; True if it ended too early."""
    try:
        reader.parser.Parse(raw.encode("utf-8", "replace"), True)  # noqa: FBT003 - expat takes no name
    except expat.ExpatError as error:
        if error.code in _EARLY:
            reader.close()
            return True
        where = f"line {line + error.lineno - 1}, column {error.offset + 1}"
        shown = raw.split("\n")[error.lineno - 1][:80]
        raise PlanProblemError(
            f"{where}: {expat.ErrorString(error.code)}: {shown!r} (XML broken)"
        ) from error
    return False


def _refuse(*_: object) -> NoReturn:
    raise PlanProblemError("XML with a document type or an entity, which EXPLAIN never writes")


def _add(parent: _Element, element: _Element) -> None:
    """Put an element that ended into the one around it."""
    tag = element.tag
    if tag == "Item" or parent.tag == f"{tag}s":
        if parent.children is None:
            parent.children = []
        if isinstance(parent.children, list):
            parent.children.append(_value(tag, element))
        return
    if parent.children is None:
        parent.children = {}
    if not isinstance(parent.children, dict):
        return
    if parent.tag == "Settings":
        parent.children[tag] = "".join(element.texts)
    else:
        name = _name(tag)
        value = _value(name, element)
        if name == "Workers" and name in parent.children:
            value = merge_workers(parent.children[name], value)
        parent.children[name] = value


def _name(tag: str) -> str:
    if tag in _HYPHENED:
        return _HYPHENED[tag]
    return tag.replace("I-O", "I/O").replace("-", " ")


def _value(name: str, element: _Element) -> object:
    if element.children is not None:
        return element.children
    text = "".join(element.texts)
    if name in _TEXTS or name == "Item":
        return text
    if "\n" in text and not text.strip():  # a group with nothing in it
        return []
    return _scalar(text)


def _scalar(text: str) -> object:
    if _NUMBER.fullmatch(text):
        return number(text)
    return {"true": True, "false": False}.get(text, text)


def _described(tag: str) -> tuple[str, int]:
    """What native/_xml asks of a tag: its key, and 0: a scalar, 1: a text, 2: a list, 3: read it here."""
    name = _name(tag)
    if tag in _READ_HERE:
        return name, 3
    return name, 2 if tag in _LISTS else int(name in _TEXTS)


_NATIVE = compiled("analyzer.plans.native._xml")
_QUICK = _NATIVE.Xml(_described, _scalar) if _NATIVE is not None else None
