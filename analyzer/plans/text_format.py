"""EXPLAIN's TEXT format, of PostgreSQL 9.6 to 18: from lines to documents with FORMAT JSON's keys.

Most texts are as PostgreSQL writes them and take a shortcut (text_ordinary.py). The others are undressed,
and each of their lines is looked at.
"""

from collections.abc import Iterator

from analyzer.plans.dressing import undressed
from analyzer.plans.found import Found, PlanProblemError
from analyzer.plans.text_block import Block, before_plan
from analyzer.plans.text_lines import Line, whole_lines
from analyzer.plans.text_ordinary import ordinary

_SHOWN = 80


def documents(text: str) -> Iterator[Found]:
    """Each plan of a text.

    Raises:
        PlanProblemError: a node has nothing above it, or a plan's first line is broken; says where.
    """
    plan = ordinary(text)
    if plan is not None:
        yield plan
    else:
        yield from line_by_line(text)


def line_by_line(text: str) -> Iterator[Found]:
    """Each plan of a text, whatever clients made of it; raises as `documents` does."""
    lines = undressed(text)
    block: Block | None = None
    before: dict[str, object] = {}
    begins, duration_ms = 0, None
    for line in whole_lines(lines):
        if line.kind in ("query", "head"):
            if block is not None:
                yield block.found(lines)
                block = None
            begins = begins or line.number
            duration_ms = before_plan(line, before, duration_ms)
        elif line.kind == "root" and not (block and _is_inside(block, line)):
            if block is not None:
                yield block.found(lines)
            block = Block(begins or line.number, dict(before), duration_ms=duration_ms)
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


def _is_inside(block: Block, line: Line) -> bool:
    """Whether what could be a root without figures belongs to a plan: a word that wrapping left over."""
    return (
        line.keys is not None
        and line.keys.keys().isdisjoint(("Total Cost", "Actual Loops"))
        and (
            "Total Cost" in block.stack[0].keys or block.analyzed or line.indent > block.root_column
        )
    )
