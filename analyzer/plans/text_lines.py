"""The lines of a plan in TEXT format, told apart, and put together where a terminal broke them.

A line that begins neither a node nor a detail goes on with the one before, if that is open: within a
literal, within brackets, after a comma, or broken where all the lines end.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal

from analyzer.patterns import regex
from analyzer.plans.text_details import KNOWN_KEYS
from analyzer.plans.text_nodes import Keys, figures_at, is_node, node_keys, target_keys

Kind = Literal["root", "node", "label", "target", "detail", "query", "head", "other"]

_KEY = regex(r"[A-Z][\w/-]{0,40}(?: [\w/-]{1,40}){0,6}:(?: |$)")
_LABEL = regex(r"(?:InitPlan|SubPlan|CTE(?! Scan on )) \S[^\n]{0,300}")
QUERY_KEYS = frozenset(("Query Text", "Query Parameters"))
_STAMP = regex(r"\d{4}-\d\d-\d\d \d\d:")  # of the next entry of a log
_SIGNS = regex(r"""['"()]""")
_HEAD = regex(r"duration: (\d{1,15}(?:\.\d{1,9})?) ms  plan:$")
_MARGIN = 48  # columns: no terminal is narrower
_MOST_PARTS = 40  # lines that a node's line may have been broken into
_LONGEST = 1 << 20  # characters of a line put together


class Line:
    """One whole line. `indent` is its column; `text` begins after that.

    `keys` are a node's, None while its figures are not whole.
    """

    __slots__ = (
        "_depth",
        "_pieces",
        "_quote",
        "_size",
        "indent",
        "keys",
        "kind",
        "number",
        "parts",
        "text",
    )

    def __init__(self, kind: Kind, number: int, indent: int, text: str) -> None:
        """A line that begins with `text`, in line `number` of the input."""
        self.kind = kind
        self.number = number
        self.indent = indent
        self.text = text
        self.parts = 1
        self.keys: Keys | None = None
        self._pieces: list[str] | None = None  # of a line that has more parts
        if kind == "node":
            self.keys = node_keys(text[2:].lstrip())
        elif kind == "root":
            self.keys = node_keys(text)

    @property
    def in_literal(self) -> bool:
        """Whether it ends inside quotes."""
        if self.kind != "detail" or (
            self._pieces is None and "'" not in self.text and '"' not in self.text
        ):
            return False
        self._account()
        return self._quote != ""

    @property
    def open(self) -> bool:
        """Whether something was begun that has no end."""
        if self.kind != "detail":
            return self.kind in ("node", "root") and self.keys is None
        self._account()
        last = self._pieces[-1] if self._pieces else ""
        return self._quote != "" or self._depth > 0 or last.rstrip()[-1:] == ","

    def may_grow(self) -> bool:
        """Whether one more part is believed."""
        if self.kind in ("node", "root"):
            return self.parts < _MOST_PARTS and len(self.text) < _LONGEST
        return self._pieces is None or self._size < _LONGEST

    def add(self, line: str, *, full: bool) -> None:
        """Go on with the next line: directly where the one before was `full`."""
        self.parts += 1
        if self.kind in ("node", "root"):
            self.text += line if full else f" {line.lstrip()}"
            self.keys = node_keys(self.text[2:].lstrip() if self.kind == "node" else self.text)
            return
        self._account()
        lines = self.kind == "query" or self._quote != ""
        between = "" if full and self.kind != "query" else "\n" if lines else " "
        piece = between + (line if full or lines else line.lstrip())
        if self._pieces is not None:
            self._pieces.append(piece)
        self._look(piece)

    def close(self) -> None:
        """No more parts will come: `text` is all of it."""
        if self._pieces is not None:
            self.text = "".join(self._pieces)

    def _account(self) -> None:
        """Begin to keep account of quotes and brackets: few lines need it."""
        if self._pieces is None:
            self._pieces = [self.text]
            self._size, self._quote, self._depth = 0, "", 0
            self._look(self.text)

    def _look(self, piece: str) -> None:
        self._size += len(piece)
        if self.kind != "detail":
            return
        if not self._quote and "'" not in piece and '"' not in piece:
            self._depth += piece.count("(") - piece.count(")")
            return
        for found in _SIGNS.finditer(piece):
            sign = found[0]
            if self._quote:
                if sign == self._quote:
                    self._quote = ""
            elif sign in "'\"":
                self._quote = sign
            else:
                self._depth += 1 if sign == "(" else -1


def whole_lines(lines: Sequence[str]) -> Iterator[Line]:
    """Lines with what they are; blank ones are left out."""
    sizes = [len(line) for line in lines]
    width = max(sizes, default=0)
    cut = sizes.count(width) > 1  # it is where a terminal broke lines, and not just the longest
    last: Line | None = None
    full = False  # the part before is as long as lines can be
    for number, raw in enumerate(lines, 1):
        text = raw.lstrip()
        if not text:
            continue
        size = len(raw)
        kind = _kind(text.rstrip())
        if last is None:
            last = Line(kind, number, size - len(text), text)
        elif kind != "node" and _goes_on(last, kind, text, full=full and cut):
            last.add(raw, full=full)
        else:
            last.close()
            yield last
            last = Line(kind, number, size - len(text), text)
        full = size == width and size >= _MARGIN
    if last is not None:
        last.close()
        yield last


def _kind(text: str) -> Kind:
    """What begins so."""
    if text.startswith("->"):
        return "node"
    key, colon, _ = text.partition(":")
    if colon and (key in KNOWN_KEYS or (_KEY.match(text) and "(" not in key)):
        if text.endswith("plan:") and head_of(text):
            return "head"
        return "query" if key in QUERY_KEYS else "detail"
    if text.startswith("Trigger ") and "calls=" in text:
        return "detail"
    if text[0].isupper():
        return _named(text)
    return "head" if text.endswith("plan:") and head_of(text) else "other"


@lru_cache(maxsize=512)
def is_key(text: str) -> bool:
    """Whether a line may begin with it and a colon, and be a detail."""
    return text in KNOWN_KEYS or _KEY.match(f"{text}:") is not None


def _named(text: str) -> Kind:
    """What begins with a capital. A root has figures, or else the name of a known type."""
    if figures_at(text) > 0:
        return "root"
    if _LABEL.fullmatch(text):
        return "label"
    if target_keys(text) is not None:
        return "target"
    return "root" if is_node(text) else "other"


def _goes_on(last: Line, kind: Kind, text: str, *, full: bool) -> bool:
    """Whether a line that is no node is the rest of the last one."""
    if last.kind == "query":
        ends = kind in ("query", "head") or (kind == "root" and figures_at(text) > 0)
        return not ends and last.may_grow()
    if kind != "other":
        figured = kind == "head" or (kind == "root" and figures_at(text) > 0)
        return not figured and last.in_literal and last.may_grow()
    if last.in_literal:
        return last.may_grow()
    if last.kind in ("other", "head") or _STAMP.match(text) or not last.may_grow():
        return False
    return last.open or full or text.startswith(("(cost=", "(actual ", "(never "))


def head_of(text: str) -> float | None:
    """The milliseconds of `duration: 12.3 ms  plan:`, which a log says before a plan; None if it is none."""
    found = _HEAD.search(text[-200:])
    return float(found[1]) if found else None
