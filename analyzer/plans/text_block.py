"""A plan in TEXT format while it is read: which node, worker or section a line belongs to.

The tree is in the indentation: a node stands below the nearest one before it whose arrow is further to
the left. What is printed in TEXT alone or in JSON alone stays as it is; nothing is made up.
"""

from dataclasses import field

from analyzer.plans.found import Found, PlanProblemError
from analyzer.plans.text_details import add_beside, add_detail, add_jit
from analyzer.plans.text_lines import Line, head_of
from analyzer.plans.text_nodes import Keys, figures_at, node_keys, target_keys, worker_keys
from analyzer.records import changing

# What children are called below nodes that have not one or two of them, outer and inner.
CHILDREN = {
    **dict.fromkeys(("Append", "Merge Append", "BitmapAnd", "BitmapOr"), "Member"),
    "Subquery Scan": "Subquery",
}
_SHOWN = 80


@changing
class _Open:
    """A node that lines may still belong to; `column` is where its arrow stands."""

    column: int
    keys: Keys
    child: bool = False  # whether a child that is no subplan came already
    below: list[Keys] | None = None  # its "Plans"


@changing
class Block:
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
            self.add_label(line.indent, line.text)
        elif line.kind == "target":
            self._target(line)
        elif line.kind == "detail":
            key, _, value = line.text.partition(":")
            self.add_detail(line.indent, key, value.strip(), line.text)
        else:
            self.stray = line
            return
        self.stray = None
        self.last = line
        self.end = line.number + line.parts - 1
        self.wrapped |= line.parts > 1 and not (line.kind == "detail" and "\n" in line.text)

    def begin(self, line: Line) -> None:
        """The root."""
        self.add_root(line.indent, line.keys if line.keys is not None else _cut_node(line.text))
        self.last, self.end = line, line.number + line.parts - 1
        self.wrapped = line.parts > 1

    def add_root(self, column: int, keys: Keys) -> None:
        """The root's keys, and the column where it begins."""
        self.document["Plan"] = keys
        self.root_column = column
        self.stack = [_Open(column, keys)]
        self.analyzed = "Actual Loops" in keys

    def add_label(self, column: int, text: str) -> None:
        """The name of a subplan, whose node comes next and deeper."""
        self._close(column)
        self.label, self.sections = (column, text), []

    def add_node(self, column: int, keys: Keys) -> None:
        """A node below the root, whose arrow is in that column."""
        stack = self.stack
        while stack[-1].column >= column and len(stack) > 1:
            stack.pop()
        above = stack[-1]
        label = self.label
        if label is not None and column > label[0]:
            keys["Parent Relationship"] = "SubPlan" if label[1].startswith("Sub") else "InitPlan"
            keys["Subplan Name"] = label[1]
        else:
            keys["Parent Relationship"] = _relationship(above)
            above.child = True
        self.label = None
        self.sections.clear()
        if above.below is None:
            above.below = above.keys["Plans"] = [keys]
        else:
            above.below.append(keys)
        stack.append(_Open(column, keys))

    def _close(self, column: int) -> None:
        while len(self.stack) > 1 and self.stack[-1].column >= column:
            self.stack.pop()

    def _node(self, line: Line) -> None:
        if line.indent <= self.root_column:
            raise PlanProblemError(
                f"line {line.number}: indentation is lost, and with it the tree: {line.text[:_SHOWN]!r}"
            )
        keys = line.keys if line.keys is not None else _cut_node(line.text[2:].strip())
        self.add_node(line.indent, keys)
        self.unfigured = self.analyzed and "Actual Loops" not in keys
        self.unsure = self.unfigured and figures_at(line.text) < 0

    def _target(self, line: Line) -> None:
        targets = self.stack[-1].keys.setdefault("Target Tables", [])
        if isinstance(targets, list):
            targets.append(target_keys(line.text))

    def add_detail(self, column: int, key: str, value: str, text: str) -> None:
        """A line `key: value` that begins in that column; `text` is all of it."""
        while self.sections and self.sections[-1][0] >= column:
            self.sections.pop()
        if self.sections:
            _, name, target = self.sections[-1]
            if key.startswith("JIT"):
                self._open(column, key, target)
            elif name.startswith("JIT"):
                add_jit(target, key, value)
            else:
                add_detail(target, key, value)
        elif column <= self.root_column + 1:  # a root's details begin two further
            self._beside(column, key, value, text)
        elif key.startswith("Worker ") and key[7:].isdigit():
            self._worker(column, self.stack[-1].keys, int(key[7:]), value)
        elif key.startswith("JIT"):
            self._open(column, key, self.stack[-1].keys)
        else:
            add_detail(self.stack[-1].keys, key, value)

    def _open(self, column: int, name: str, keys: Keys) -> None:
        """Begin a section: lines that are deeper belong to it."""
        section = keys.setdefault(name, {})
        if isinstance(section, dict):
            self.sections.append((column, name, section))

    def _worker(self, column: int, node: Keys, number: int, value: str) -> None:
        """`Worker 0:  actual time=…`, and what follows, deeper; or a detail in the same line."""
        workers = node.setdefault("Workers", [])
        if not isinstance(workers, list):
            return
        worker = next((one for one in workers if one["Worker Number"] == number), None)
        if worker is None:
            worker = {"Worker Number": number}
            workers.append(worker)
        self.sections.append((column, "Worker", worker))
        actual = worker_keys(value)
        key, _, rest = value.partition(":")
        if actual is not None:
            worker.update(actual)
        elif key == "JIT":
            self._open(column, key, worker)
        else:
            add_detail(worker, key, rest.strip())

    def _beside(self, column: int, key: str, value: str, text: str) -> None:
        """What is printed beside the tree; after its end clients and people say things."""
        if self.ended and key in self.document:
            return
        section = add_beside(self.document, key, value, text)
        self.ended |= "Execution Time" in self.document
        if section is not None:
            self.sections.append((column, key, section))

    def _drop_last(self) -> None:
        above = self.stack[-2]
        if above.below is not None:
            above.below.pop()
        if not above.below:
            above.keys.pop("Plans", None)

    def found(self, lines: list[str]) -> Found:
        """The whole plan."""
        raw = "\n".join(lines[self.line - 1 : self.end]).rstrip("\n")
        cut = self.last is not None and (self.last.open or self.unfigured)
        cut = cut or self.label is not None
        cut = cut or (self.stray is not None and self.stray.indent > self.root_column)
        if self.unsure and self.last is not None and self.last.kind == "node":
            self._drop_last()
        return Found(self.document, raw, self.line, cut, self.wrapped, self.duration_ms)


def before_plan(line: Line, before: Keys, duration_ms: float | None) -> float | None:
    """What auto_explain says before a plan: its statement, its parameters, how long it took."""
    if line.kind == "head":
        return head_of(line.text.rstrip())
    key, _, value = line.text.partition(":")
    before[key] = value.strip()
    return duration_ms


def _relationship(above: _Open) -> str:
    """How a child that is no subplan belongs to the node above: as FORMAT JSON says it."""
    kind = str(above.keys["Node Type"])
    if kind == "ModifyTable":
        return _written(above)
    return CHILDREN.get(kind) or ("Inner" if above.child else "Outer")


def _written(above: _Open) -> str:
    """Of what writes, children are members up to PostgreSQL 13: it may have several, and rows are expected.

    From 14 on no row is, unless they are returned.
    """
    if above.child:
        for one in above.below or ():
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
