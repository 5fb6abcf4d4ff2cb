"""The candidates of one run: each with a number, a size and what its writes cost."""

from collections.abc import Iterator
from dataclasses import field

from analyzer.model.index_candidate import IndexCandidate
from analyzer.records import changing


@changing
class Pool:
    """Candidates by number; a set of them is an integer with a bit for each.

    `sizes` are bytes, `prices` what writers pay for each over the window, in planner units.
    """

    candidates: list[IndexCandidate] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    by_name: dict[str, IndexCandidate] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _rivals: list[int] = field(default_factory=list)

    def add(self, candidate: IndexCandidate, size: int, price: float) -> int:
        """Take in a candidate, unless it is there; its number."""
        known = self._numbers.get(candidate.sql)
        if known is not None:
            return known
        number = self._numbers[candidate.sql] = len(self.candidates)
        self.candidates.append(candidate)
        self.by_name[candidate.name] = candidate
        self.sizes.append(size)
        self.prices.append(price)
        self._rivals.append(0)
        for other, earlier in enumerate(self.candidates[:number]):
            if _begins(candidate, earlier) or _begins(earlier, candidate):
                self._rivals[number] |= 1 << other
                self._rivals[other] |= 1 << number
        return number

    def number(self, candidate: IndexCandidate) -> int | None:
        """Its number, None where it is not in the pool."""
        return self._numbers.get(candidate.sql)

    def rivals(self, chosen: int) -> int:
        """Candidates that would be superfluous beside some of a set, or make one of it superfluous."""
        found = 0
        for number in self._members(chosen):
            found |= self._rivals[number]
        return found

    def members(self, chosen: int) -> list[int]:
        """The numbers in a set."""
        return list(self._members(chosen))

    def _members(self, chosen: int) -> Iterator[int]:
        while chosen:
            lowest = chosen & -chosen
            yield lowest.bit_length() - 1
            chosen ^= lowest

    def size(self, chosen: int) -> int:
        """Bytes of a set."""
        return sum(self.sizes[number] for number in self._members(chosen))

    def price(self, chosen: int) -> float:
        """What writers pay for a set."""
        return sum(self.prices[number] for number in self._members(chosen))


def _begins(one: IndexCandidate, other: IndexCandidate) -> bool:
    """Whether an index does all that another does: the same keys in front, over the same rows."""
    comparable = one.table == other.table and one.method == other.method == "btree"
    if not comparable or one.predicate != other.predicate:
        return False
    front = [(key.expression or key.column, key.operator_class) for key in one.keys]
    keys = [(key.expression or key.column, key.operator_class) for key in other.keys]
    return front[: len(keys)] == keys
