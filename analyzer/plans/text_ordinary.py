"""The shortcut for a plan in TEXT format that is as PostgreSQL writes it, bare and whole: nearly all are.

One expression matches each line and takes it apart. A text takes the shortcut if every line is a node with
its figures, a subplan's name or `key: value`, and nothing says that it is dressed or that a line goes on
in the next one. Any other is read line by line (text_lines.py), which ends in the same for both.

Where it was compiled, native/_lines does the same for most of these texts.
"""

import re
from typing import Any

from analyzer.native import compiled
from analyzer.patterns import regex
from analyzer.plans.dressing import LAST, is_dressed
from analyzer.plans.found import Found
from analyzer.plans.text_block import CHILDREN, Block, before_plan
from analyzer.plans.text_details import (
    BLOCKS,
    KNOWN_KEYS,
    LISTS,
    TEXTS,
    add_beside,
    add_detail,
    items,
    scalar,
)
from analyzer.plans.text_lines import QUERY_KEYS, is_key, whole_lines
from analyzer.plans.text_nodes import Keys, add_figures, described, known_description

_DETAIL = rf"([A-Z][\w/ -]{{0,99}}+):(?: ([^\n]*[^\s:{re.escape(LAST)}]))?"
_FIGURES = (
    r"(?=[can])"
    r"(?:cost=(\d+\.\d+)\.\.(\d+\.\d+) rows=(\d+) width=(\d+)(?:\) \((?=[an])|(?=\))))?"
    r"(?:actual (?:time=(\d+\.\d+)\.\.(\d+\.\d+) )?rows=(\d+(?:\.\d+)?) loops=(\d+)"
    r"|(never executed))?"
)
_NODE = rf"(->  )?([A-Z][^\n(:]{{0,999}}+)\({_FIGURES}\)"
_LABEL = r"((?:InitPlan|SubPlan|CTE(?! Scan on )) \w[\w$ ]{0,99}+(?:\(returns [$\d,]{1,90}\))?)"
_LINE = regex(rf"( *+)(?:{_DETAIL}|{_NODE}|{_LABEL}|([^\n]*))(?:\n|\Z)", re.ASCII)
_ROOT = regex(r"^[A-Z][^\n(:]{0,999}+\((?:cost=|actual |never )", re.MULTILINE)
_ORDINARY_KEYS = KNOWN_KEYS - QUERY_KEYS
_BEFORE = ("query", "head")
_LONGEST = 1 << 20  # characters before the plan


def ordinary(text: str) -> Found | None:
    """The one plan of a text, with what auto_explain says before it; None where that is not all of it."""
    begin = _ROOT.search(text)
    if begin is None or begin.start() > _LONGEST:
        return None
    before: Keys = {}
    duration_ms = None
    plan = text[begin.start() :]
    if begin.start() > 0:
        head = text[: begin.start()]
        lines = head.split("\n")
        dressed = _may_be_dressed(head) or is_dressed(head, lines)
        told = [] if dressed else list(whole_lines(lines))
        if not told or told[0].number > 1 or any(one.kind not in _BEFORE for one in told):
            return None
        for line in told:
            duration_ms = before_plan(line, before, duration_ms)
    document = _WORDS.document(plan, before) if _WORDS is not None else None
    if document is None:
        document = slow_document(plan, before)
    if document is None:
        return None
    return Found(document, text.rstrip("\n"), duration_ms=duration_ms)


def slow_document(text: str, before: Keys) -> Keys | None:
    """The document of the plan that a text is, put into `before`; None where it is not ordinary."""
    block = Block(1, before)
    if _may_be_dressed(text) or not _take_lines(block, text):
        return None
    return block.document


def _may_be_dressed(text: str) -> bool:
    """Whether marks of a client stand in it; those that end or begin lines are no ordinary lines."""
    return ("QUERY" in text and "QUERY PLAN" in text) or "`" in text or "<t" in text


def _take_lines(block: Block, text: str) -> bool:
    """Have a block take all lines; False where one is not ordinary, or the plan may be cut off."""
    last, figured = "", True
    for found in _LINE.findall(text):
        spaces, key, value, arrow, name = found[:5]
        if key:
            last = value
            taken = _take_detail(block, len(spaces), key, value)
        elif name:
            keys = described(name.rstrip())
            add_figures(keys, found[5:14])
            last, figured = "", "Actual Loops" in keys
            taken = _take_node(block, len(spaces), arrow, keys)
        elif found[14]:
            block.add_label(len(spaces), found[14])
            taken = True
        else:
            taken = not found[15] and not spaces
        if not taken:
            return False
    return (figured or not block.analyzed) and block.label is None and not _goes_on(last)


def _take_node(block: Block, column: int, arrow: str, keys: Keys) -> bool:
    """A node; False where it is a second root, or has lost its place in the tree."""
    if arrow and block.stack and column > block.root_column:
        block.add_node(column, keys)
    elif not arrow and not block.stack:
        block.add_root(column, keys)
    else:
        return False
    return True


def _take_detail(block: Block, column: int, key: str, value: str) -> bool:
    """A line `key: value`; False where it could be something else, or the next line be a part of it."""
    if ("'" in value or '"' in value) and not _is_closed(value):
        return False
    if key in _ORDINARY_KEYS and column > block.root_column + 1 and not block.sections:
        add_detail(block.stack[-1].keys, key, value.strip())
        return True
    if key in QUERY_KEYS or not is_key(key):
        return False
    block.add_detail(column, key, value.strip(), f"{key}: {value}")
    return True


def _is_closed(value: str) -> bool:
    """Whether each quote has its end; unsure where there are both kinds."""
    if "'" in value and '"' in value:
        return False
    return value.count("'") % 2 == 0 and value.count('"') % 2 == 0


def _goes_on(value: str) -> bool:
    """Whether the last line's end may lack."""
    return value.endswith(",") or value.count("(") != value.count(")")


def _words() -> Any:  # noqa: ANN401 - of native/_lines.pyx
    """What tells the native twin the words of plans; None where there is none."""
    native = compiled("analyzer.plans.native._lines")
    if native is None:
        return None
    kinds = dict.fromkeys(_ORDINARY_KEYS, 4) | dict.fromkeys(TEXTS, 1) | dict.fromkeys(LISTS, 2)
    return native.Words(
        described=known_description, items=items, scalar=scalar, add_detail=add_detail,
        add_beside=add_beside, is_key=is_key, is_label=re.compile(_LABEL, re.ASCII).fullmatch,
        kinds={key: kinds[key] for key in _ORDINARY_KEYS} | {"Buffers": 3}, blocks=BLOCKS,
        children=CHILDREN, questions=set(QUERY_KEYS), last=LAST.encode("ascii", "ignore"),
    )  # fmt: skip


_WORDS = _words()
