"""What a column of the rows that an execution returns can hold, as far as its own values tell.

A log has what statements were called with and never what they returned. But where a parent asks for
`id IN (3, 7, 9)`, or for `tenant_id = 5`, its rows hold no other values there.
"""

import json
import re
from enum import IntEnum

from analyzer.detectors._reads import Named
from analyzer.model.statement import Arity, Predicate, StatementFacts, ValueList
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.parameters import Values

_NUMBER = regex(r"-?\d{1,18}\Z")  # an int64
_UUID = regex(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
# A quote that is never closed takes the rest: looked for again from each later one, it would take quadratic time.
_ELEMENT = regex(r'"((?:[^"\\]|\\.)*)(?:"|\\?\Z)|([^,{}"]+)', re.DOTALL)
_BOUNDS = ("<", "<=", ">", ">=")


class Drawn(IntEnum):
    """Whether a value can be one of a column's."""

    OUTSIDE = -1
    UNKNOWN = 0
    INSIDE = 1


@record
class Held:
    """How a text holds a column: against lists, single values (their codes), and bounds (operator, code)."""

    lists: tuple[ValueList, ...]
    values: tuple[int, ...]
    bounds: tuple[tuple[str, int], ...]


def held(facts: StatementFacts, table: str, column: str) -> Held | None:
    """How a statement holds a column of its rows; None where it does not.

    Columns that a join makes equal are held alike; which of two rows of one table is meant is not told.
    """
    if _is_vague(facts):
        return None
    places = {(table, column)}
    for one in facts.joins:
        sides = (one.left_table, one.left_column), (one.right_table, one.right_column)
        if sides[0] == (table, column) or sides[1] == (table, column):
            places |= set(sides)

    def is_meant(one: Predicate | ValueList) -> bool:
        return (one.table or facts.main_table or "", one.column) in places

    plain = [one for one in _held_plainly(facts) if is_meant(one)]
    found = Held(
        tuple(filter(is_meant, facts.lists)),
        tuple(one.parameter for one in plain if one.operator == "="),
        tuple((one.operator, one.parameter) for one in plain if one.operator in _BOUNDS),
    )
    return found if found.lists or found.values or found.bounds else None


def held_columns(facts: StatementFacts) -> frozenset[Named]:
    """The columns that a statement holds: those of which `held` says how."""
    if _is_vague(facts):
        return frozenset()
    holding: list[Predicate | ValueList] = [*_held_plainly(facts), *facts.lists]
    found = {(one.table or facts.main_table or "", one.column) for one in holding}
    equal: set[Named] = set()
    for one in facts.joins:
        sides = (one.left_table, one.left_column), (one.right_table, one.right_column)
        if not found.isdisjoint(sides):
            equal |= set(sides)
    return frozenset(found | equal)


def _is_vague(facts: StatementFacts) -> bool:
    return facts.disjunctive or any(one.left_table == one.right_table for one in facts.joins)


def _held_plainly(facts: StatementFacts) -> list[Predicate]:
    """Conditions that hold a bare column against one value."""
    return [
        one
        for one in facts.predicates
        if one.parameter
        and one.arity is Arity.ONE
        and not one.expression
        and one.operator in ("=", *_BOUNDS)
    ]


@record
class Allowed:
    """The values that a column can hold in an execution's rows: `values` of these, or within bounds.

    `listed`: they are a list's. Of an open bound the value is None.
    """

    values: frozenset[str] | None
    listed: bool
    low: int | None
    high: int | None

    def drawn(self, value: str | None) -> Drawn:
        """Whether a value (as `plain` has it) can be one of the column's."""
        if value is None:
            return Drawn.UNKNOWN
        number = int(value) if is_number(value) else None
        if self.values is not None:
            if value in self.values:
                return Drawn.INSIDE
            alike = any(is_number(one) == (number is not None) for one in self.values)
            return Drawn.OUTSIDE if alike else Drawn.UNKNOWN
        below = self.low is not None and number is not None and number < self.low
        above = self.high is not None and number is not None and number > self.high
        return Drawn.OUTSIDE if below or above else Drawn.UNKNOWN


def allowed(how: Held, values: Values) -> Allowed | None:
    """What an execution with these values can return; None where they are not known in full."""
    sets = [found for one in how.lists if (found := list_of(one, values)) is not None]
    listed = bool(sets)
    single = [plain(values.at(code)) for code in how.values]
    sets += [frozenset([one]) for one in single if one is not None]
    low = high = None
    for operator, code in how.bounds:
        value = plain(values.at(code))
        if value is None or not is_number(value):
            continue
        if operator[0] == ">":
            low = int(value) if low is None else max(low, int(value))
        else:
            high = int(value) if high is None else min(high, int(value))
    if not sets and low is None and high is None:
        return None
    return Allowed(frozenset.intersection(*sets) if sets else None, listed, low, high)


def list_of(one: ValueList, values: Values) -> frozenset[str] | None:
    """The values of a list in an execution; None where the log does not have them all."""
    if one.array:
        text = plain(values.at(one.first))
        items = None if text is None else _elements(text)
    elif one.first > 0:
        items = values.items[one.first - 1 : max(values.bound - one.behind, 0)]
    else:
        begin = values.bound - one.first - 1
        items = values.items[begin : max(len(values.items) - one.behind, 0)]
    if not items or (not one.array and any(item.endswith("...") for item in items)):
        return None
    return frozenset(found for item in items if (found := plain(item)) is not None)


def _elements(text: str) -> tuple[str, ...] | None:
    """The elements of an array as PostgreSQL or Prisma write it; None of what is neither."""
    if text.startswith("["):
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return tuple(str(one) for one in read if isinstance(one, str | int))
    if not (text.startswith("{") and text.endswith("}")):
        return None
    found = _ELEMENT.findall(text[1:-1])
    return tuple(re.sub(r"\\(.)", r"\1", quoted) if quoted else bare for quoted, bare in found)


def is_number(value: str) -> bool:
    """Whether a value is a whole number (of 64 bits)."""
    return _NUMBER.match(value) is not None


def plain(value: str | None) -> str | None:
    """A value without quotes and the like; None for NULL, for none, and for what the log cut off."""
    if value is None or value == "NULL" or value.endswith("..."):
        return None
    inside = value[1:] if value[:1] in "eEnN" and value[1:2] == "'" else value
    if len(inside) > 1 and inside[0] == inside[-1] == "'":
        inside = inside[1:-1].replace("''", "'")
    return inside.lower() if _UUID.match(inside) else inside
