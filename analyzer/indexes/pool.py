"""The candidates of one run: each with a number, a size and what its writes cost."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from analyzer.model.index_candidate import IndexCandidate


@dataclass(slots=True)
class Pool:
    """Candidates by number; a set of them is an integer with a bit for each.

    `sizes` are bytes, `prices` what writers pay for each over the window, in planner units.
    """

    candidates: list[IndexCandidate] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, candidate: IndexCandidate, size: int, price: float) -> int:
        """Take in a candidate, unless it is there; its number."""
        known = self._numbers.get(candidate.sql)
        if known is not None:
            return known
        number = self._numbers[candidate.sql] = len(self.candidates)
        self.candidates.append(candidate)
        self.sizes.append(size)
        self.prices.append(price)
        return number

    def number(self, candidate: IndexCandidate) -> int | None:
        """Its number, None where it is not in the pool."""
        return self._numbers.get(candidate.sql)

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
