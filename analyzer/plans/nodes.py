"""Making PlanNodes in bulk.

A frozen dataclass sets each field by a call, which for a node's fifty fields takes four times as long
as everything else about making it. So a node is made as its twin, which has the same slots and is not
frozen, and becomes a PlanNode when it is whole. Python allows that for classes of one layout.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, make_dataclass
from typing import Any

from analyzer.model.plan import PlanNode


def _same(one: Field[Any]) -> tuple[str, Any, Any]:
    """A field of the twin: name and default of PlanNode's."""
    if one.default_factory is not MISSING:
        return one.name, one.type, field(default_factory=one.default_factory)
    return one.name, one.type, field() if one.default is MISSING else field(default=one.default)


_Twin: Any = make_dataclass("_Twin", [_same(one) for one in fields(PlanNode)], slots=True)


def make_node(values: Mapping[str, object]) -> PlanNode:
    """The PlanNode of these fields; the same as `PlanNode(**values)`."""
    node = _Twin(**values)
    node.__class__ = PlanNode
    return node  # type: ignore[no-any-return]  # it is one now
