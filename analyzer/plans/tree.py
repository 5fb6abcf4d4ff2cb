"""From the keys of a plan's root to its nodes, with their times, and what the plan is known by.

Where it was compiled, native/_nodes does it, but for plans that it declines.
"""

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

from analyzer.model.plan import PlanNode
from analyzer.native import compiled
from analyzer.plans.fields import FIRST_COUNT, FIRST_NUMBER, FRACTION_DIGITS, PLACE_OF, draft_of
from analyzer.plans.figures import fill_in_times
from analyzer.plans.found import PlanProblemError
from analyzer.plans.nodes import NOTHING, PLACES, TEXTS, finish
from analyzer.records import record

MAX_DEPTH = 250  # levels of nodes; walks over a tree may recurse
# The fields that a plan's key is made of.
_KEY_TEXTS = ("type", "relation", "alias", "index", "filter", "index_condition", "hash_condition")
_KEY_NUMBERS = ("parent", "rows_estimated", "total_cost", "rows_actual", "loops", "actual_total_ms")


@record
class Tree:
    """All nodes of a plan, depth first, and the texts and numbers (doubles) that tell it from others."""

    nodes: Sequence[PlanNode]
    texts: Sequence[str]
    numbers: bytes

    def key(self, statement: str | None) -> str:
        """16 hex digits: the same for one plan wherever it was found, another for another run."""
        texts = "\0".join(((statement or "").strip(), *self.texts))
        digest = hashlib.blake2b(texts.encode("utf-8", "replace"), digest_size=8)
        digest.update(self.numbers)
        return digest.hexdigest()


def tree_of(root: object) -> Tree:
    """The nodes of a plan.

    Raises:
        PlanProblemError: a key has a value of the wrong kind, or the tree is too deep.
    """
    made = _LAYOUT.tree(root) if _LAYOUT is not None else None
    if made is None:
        return slow_tree_of(root)
    nodes, timed, texts, numbers = made
    if not timed:
        fill_in_times(nodes)
    return Tree(nodes, texts, numbers)


def slow_tree_of(root: object) -> Tree:
    """What `tree_of` gives, without the native twin; raises as that does."""
    drafts = _drafts(root)
    texts: list[str] = []
    numbers: list[float] = []
    for draft in drafts:
        texts += [getattr(draft, name) or "" for name in _KEY_TEXTS]
        known = [getattr(draft, name) for name in _KEY_NUMBERS]
        numbers += [-1.0 if one is None else one for one in known]
    fill_in_times(drafts)
    finish(drafts)
    return Tree(drafts, texts, struct.pack(f"={len(numbers)}d", *numbers))


def _drafts(root: object) -> list[Any]:
    """All nodes depth first, as EXPLAIN prints them; each knows its parent and its children."""
    drafts: list[Any] = []
    waiting: list[tuple[object, Any, int]] = [(root, None, 1)]
    while waiting:
        keys, above, depth = waiting.pop()
        if type(keys) is not dict or type(keys.get("Node Type")) is not str:
            raise PlanProblemError(f'node {len(drafts)} of the plan has no "Node Type"')
        if depth > MAX_DEPTH:
            raise PlanProblemError(f"the plan is deeper than {MAX_DEPTH} nodes")
        draft = draft_of(keys)
        draft.id = len(drafts)
        drafts.append(draft)
        if above is not None:
            draft.parent = above.id
            above.children.append(draft)
        below = draft.children
        if below:
            draft.children = []
            waiting += [(child, draft, depth + 1) for child in reversed(below)]
    for draft in drafts:
        draft.children = tuple(draft.children)
    return drafts


def _layout() -> Any:  # noqa: ANN401 - of native/_nodes.pyx
    """What tells the native twin where the fields stand; None where there is none."""
    native = compiled("analyzer.plans.native._nodes")
    if native is None:
        return None
    return native.Layout(
        places=PLACE_OF, nothing=NOTHING, made=PlanNode, fields=PLACES,
        first_text=PLACES[TEXTS[0]], first_number=FIRST_NUMBER, first_count=FIRST_COUNT,
        fraction_digits=FRACTION_DIGITS, max_depth=MAX_DEPTH,
        texts=tuple(PLACES[name] for name in _KEY_TEXTS),
        numbers=tuple(PLACES[name] for name in _KEY_NUMBERS),
    )  # fmt: skip


_LAYOUT = _layout()
