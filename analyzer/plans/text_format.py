"""EXPLAIN's TEXT format, of PostgreSQL 9.6 to 18: from lines to documents with FORMAT JSON's keys.

The tree is in the indentation: a node stands below the nearest one before it whose arrow is further to
the left. What is printed in TEXT alone or in JSON alone stays as it is; nothing is made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from analyzer.plans.dressing import undressed
from analyzer.plans.found import Found, PlanProblemError
from analyzer.plans.text_details import (
    add_beside,
    add_detail,
    add_jit,
)
from analyzer.plans.text_lines import Line, head_of, whole_lines
from analyzer.plans.text_nodes import Keys, figures_at, node_keys, target_keys, worker_keys

_MEMBERS = frozenset(("Append", "Merge Append", "BitmapAnd", "BitmapOr"))
_SHOWN = 80


@dataclass(slots=True)
class _Open:
    """A node that lines may still belong to; `column` is where its arrow stands."""

    column: int
    keys: Keys
    child: bool = False  # whether a child that is no subplan came already


@dataclass(slots=True)
class _Block:
    """A plan while it is read."""

    line: int
    document: Keys
    stack: list[_Open] = field(default_factory=list)
    root_column: int = 0
    label: tuple[int, str] | None = None  # a subplan's name, and its column
    sections: list[tuple[int, str, Keys]] = field(default_factory=list)  # deeper lines are theirs
    last: Line | None = None
    stray: Line | None = None  # the line after the last, where it is not known what it is
    end: int = 0
    wrapped: bool = False
    analyzed: bool = False
    ended: bool = False
    unfigured: bool = False  # the last node lacks the figures that the root has
    unsure: bool = False  # it has none, so that its name may be cut, too
    duration_ms: float | None = None

    def take(self, line: Line) -> None:
        """One more line of the plan."""
        if line.kind == "node":
            self._node(line)
        elif line.kind == "label":
            self._close(line.indent)
            self.label, self.sections = (line.indent, line.text), []
        elif line.kind == "target":
            self._target(line)
        elif line.kind == "detail":
            key, _, value = line.text.partition(":")
            self._detail(line, key, value.strip())
        else:
            self.stray = line
            return
        self.stray = None
        self.last = line
        self.end = line.number + line.parts - 1
        self.wrapped |= line.parts > 1 and not (line.kind == "detail" and "\n" in line.text)

    def begin(self, line: Line) -> None:
        """The root."""
        keys = line.keys if line.keys is not None else _cut_node(line.text)
        self.document["Plan"] = keys
        self.root_column = line.indent
        self.stack = [_Open(line.indent, keys)]
        self.analyzed = "Actual Loops" in keys
        self.last, self.end = line, line.number + line.parts - 1
        self.wrapped = line.parts > 1

    def _close(self, column: int) -> None:
        while len(self.stack) > 1 and self.stack[-1].column >= column:
            self.stack.pop()

    def _node(self, line: Line) -> None:
        if line.indent <= self.root_column:
            raise PlanProblemError(
                f"line {line.number}: indentation is lost, and with it the tree: {line.text[:_SHOWN]!r}"
            )
        self._close(line.indent)
        keys = line.keys if line.keys is not None else _cut_node(line.text[2:].strip())
        above = self.stack[-1]
        label = self.label
        self.label, self.sections = None, []
        if label is not None and line.indent > label[0]:
            keys["Parent Relationship"] = "SubPlan" if label[1].startswith("Sub") else "InitPlan"
            keys["Subplan Name"] = label[1]
        else:
            keys["Parent Relationship"] = _relationship(above)
            above.child = True
        below = above.keys.setdefault("Plans", [])
        if isinstance(below, list):
            below.append(keys)
        self.unfigured = self.analyzed and "Actual Loops" not in keys
        self.unsure = self.unfigured and figures_at(line.text) < 0
        self.stack.append(_Open(line.indent, keys))

    def _target(self, line: Line) -> None:
        targets = self.stack[-1].keys.setdefault("Target Tables", [])
        if isinstance(targets, list):
            targets.append(target_keys(line.text))

    def _detail(self, line: Line, key: str, value: str) -> None:
        while self.sections and self.sections[-1][0] >= line.indent:
            self.sections.pop()
        if self.sections:
            _, name, target = self.sections[-1]
            if key.startswith("JIT"):
                self._open(line, key, target)
            elif name.startswith("JIT"):
                add_jit(target, key, value)
            else:
                add_detail(target, key, value)
            return
        if line.indent <= self.root_column + 1:  # a root's details begin two further
            self._beside(line, key, value)
            return
        target = self.stack[-1].keys
        if key.startswith("Worker ") and key[7:].isdigit():
            self._worker(line, target, int(key[7:]), value)
        elif key.startswith("JIT"):
            self._open(line, key, target)
        else:
            add_detail(target, key, value)

    def _open(self, line: Line, name: str, keys: Keys) -> None:
        """Begin a section: lines that are deeper belong to it."""
        section = keys.setdefault(name, {})
        if isinstance(section, dict):
            self.sections.append((line.indent, name, section))

    def _worker(self, line: Line, node: Keys, number: int, value: str) -> None:
        """`Worker 0:  actual time=…`, and what follows, deeper; or a detail in the same line."""
        workers = node.setdefault("Workers", [])
        if not isinstance(workers, list):
            return
        worker = next((one for one in workers if one["Worker Number"] == number), None)
        if worker is None:
            worker = {"Worker Number": number}
            workers.append(worker)
        self.sections.append((line.indent, "Worker", worker))
        actual = worker_keys(value)
        key, _, rest = value.partition(":")
        if actual is not None:
            worker.update(actual)
        elif key == "JIT":
            self._open(line, key, worker)
        else:
            add_detail(worker, key, rest.strip())

    def _beside(self, line: Line, key: str, value: str) -> None:
        """What is printed beside the tree; after its end clients and people say things."""
        if self.ended and key in self.document:
            return
        section = add_beside(self.document, key, value, line.text)
        self.ended |= "Execution Time" in self.document
        if section is not None:
            self.sections.append((line.indent, key, section))

    def _drop_last(self) -> None:
        below = self.stack[-2].keys.get("Plans")
        if isinstance(below, list):
            below.pop()
            if not below:
                del self.stack[-2].keys["Plans"]

    def found(self, lines: list[str]) -> Found:
        """The whole plan."""
        raw = "\n".join(lines[self.line - 1 : self.end]).rstrip("\n")
        cut = self.last is not None and (self.last.open or self.unfigured)
        cut = cut or self.label is not None
        cut = cut or (self.stray is not None and self.stray.indent > self.root_column)
        if self.unsure and self.last is not None and self.last.kind == "node":
            self._drop_last()
        return Found(self.document, raw, self.line, cut, self.wrapped, self.duration_ms)


def documents(text: str) -> Iterator[Found]:
    """Each plan of a text.

    Raises:
        PlanProblemError: a node has nothing above it, or a plan's first line is broken; says where.
    """
    lines = undressed(text)
    block: _Block | None = None
    before: Keys = {}
    begins, duration_ms = 0, None
    for line in whole_lines(lines):
        if line.kind in ("query", "head"):
            if block is not None:
                yield block.found(lines)
                block = None
            begins = begins or line.number
            duration_ms = _before(line, before, duration_ms)
        elif line.kind == "root" and not (block and _is_inside(block, line)):
            if block is not None:
                yield block.found(lines)
            block = _Block(begins or line.number, dict(before), duration_ms=duration_ms)
            before, begins, duration_ms = {}, 0, None
            block.begin(line)
        elif block is not None:
            block.take(line)
        elif line.kind == "node":
            raise PlanProblemError(
                f"line {line.number}: a node without the line of the plan's first node before it: "
                f"{line.text[:_SHOWN]!r}"
            )
    if block is not None:
        yield block.found(lines)


def _before(line: Line, before: Keys, duration_ms: float | None) -> float | None:
    """What auto_explain says before a plan: its statement, its parameters, how long it took."""
    if line.kind == "head":
        return head_of(line.text.rstrip())
    key, _, value = line.text.partition(":")
    before[key] = value.strip()
    return duration_ms


def _is_inside(block: _Block, line: Line) -> bool:
    """Whether what could be a root without figures belongs to a plan: a word that wrapping left over."""
    return (
        line.keys is not None
        and line.keys.keys().isdisjoint(("Total Cost", "Actual Loops"))
        and (
            "Total Cost" in block.stack[0].keys or block.analyzed or line.indent > block.root_column
        )
    )


def _relationship(above: _Open) -> str:
    """How a child that is no subplan belongs to the node above: as FORMAT JSON says it."""
    kind = above.keys["Node Type"]
    if kind in _MEMBERS:
        return "Member"
    if kind == "Subquery Scan":
        return "Subquery"
    if kind == "ModifyTable":
        return _written(above)
    return "Inner" if above.child else "Outer"


def _written(above: _Open) -> str:
    """Of what writes, children are members up to PostgreSQL 13: it may have several, and rows are expected.

    From 14 on no row is, unless they are returned.
    """
    below = above.keys.get("Plans")
    if above.child and isinstance(below, list):
        for one in below:
            if one.get("Parent Relationship") == "Outer":
                one["Parent Relationship"] = "Member"
        return "Member"
    returns = above.keys.get("Actual Rows") != 0
    return "Outer" if returns or above.keys.get("Plan Width", 0) == 0 else "Member"


def _cut_node(text: str) -> Keys:
    """The keys of a node's line whose figures are not whole."""
    at = figures_at(text)
    keys = node_keys(text[:at] if at >= 0 else text.partition("  (")[0])
    return keys if keys is not None else {"Node Type": text}
