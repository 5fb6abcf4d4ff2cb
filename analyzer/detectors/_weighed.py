"""Parents weighed by values: which statement's rows can have told what a child looks up.

Keys and names say which statements may be a child's parents; often there are several, or none. Where a
parent asks for a list of values or for a single one, its rows hold no others there. So what children
look up speaks for it, or against it.
"""

from dataclasses import replace

from analyzer.detectors._allowed import is_number
from analyzer.detectors._drawn import ENOUGH, DrawnValues
from analyzer.detectors._found import Pair
from analyzer.detectors._links import Link, loaded_table
from analyzer.detectors._rows import ExecutionRows
from analyzer.detectors._sampled import Sampled
from analyzer.detectors._shapes import SURE_LINK, Shapes
from analyzer.detectors._value_reader import ValueReader
from analyzer.model.columns import Rows
from analyzer.model.statement import Predicate
from analyzer.model.work import WorkSlice

_SETTLED = 64  # values after which a parent is not looked at again
_TRIED = 4  # links between the same two statements
REFUTED = -1.0  # the strength of a link that values speak against: any other is better
_MORE = 0.2  # that values add to the strength of a link
_COVERED = 0.5  # share of a list's values that the children of a loop over its rows look up
_SMALL = 1000  # numbers below may be alike by chance: those of many tables begin at 1
_BY_SMALL_NUMBERS, _BY_VALUES = 0.5, 0.65  # strengths of links that values alone make
_MOST_PAIRS = 50_000  # of statements whose values are remembered: memory is bounded
_AGREED = 512  # values after which a pair is believed
_UNSEEN = DrawnValues()
_Key = tuple[int, int, Predicate | None, str | None]  # child, parent, and what links them


class Weigher:
    """Weighs the parents that children could have, and remembers it from slice to slice."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._reader = ValueReader()
        self._seen: dict[_Key, DrawnValues] = {}
        # Children and parents that values spoke against.
        self._doubted: set[tuple[int, int]] = set()
        self._agreed: dict[_Key, int] = {}  # values of pairs that spoke not against them
        self._made: dict[tuple[int, int], Link | None] = {}  # links that values alone make

    def weigh(
        self,
        rows: ExecutionRows,
        children: Rows,
        near: Rows,
        candidates: dict[int, float],
        varying: tuple[Predicate, ...],
    ) -> dict[int, Link]:
        """What values say of statements `near` that could be parents of a statement's rows: their links.

        `candidates` are those of them that are linked by their texts, and how strongly. Values say something of few:
        of parents that hold the very column which would tell what the children look up.
        """
        if not self._seen and not rows.values_known:
            return {}
        number = int(rows.statement[children[0]])
        holding, listing = self._shapes.holding(number, varying), self._shapes.listing
        sample, found = Sampled(rows, children, self._reader), dict[int, Link]()
        strengths = dict(candidates)
        for sure in (True, False):
            for parent, strength in candidates.items():
                if holding[parent] and (strength >= SURE_LINK) == sure:
                    made = self._shapes.link(number, parent, varying)
                    found[parent] = self._weighed(sample, parent, made, varying)
                    strengths[parent] = found[parent].strength
            if any(strength >= SURE_LINK for strength in strengths.values()):
                return found
        for parent in near[listing[near]].tolist():
            refuted = parent in found and found[parent].refuted
            if parent != number and (refuted or parent not in candidates):
                by_values = self._by_values(sample, parent, varying)
                if by_values:
                    found[parent] = by_values
        return found

    def look(self, work: WorkSlice, pair: Pair) -> DrawnValues:
        """What values say of a pair."""
        return self._reader.look(work, pair)

    def refutes(self, work: WorkSlice, pair: Pair) -> bool:
        """Whether values speak against a pair; if so it is remembered."""
        key = pair.child, pair.parent, pair.link.asks, pair.link.told
        agreed = self._agreed.get(key, 0)
        if agreed >= _AGREED:
            return False
        values = self.look(work, pair)
        if values.from_elsewhere:
            self._seen.setdefault(key, DrawnValues()).add(values)
            self._doubted.add((pair.child, pair.parent))
        else:
            self._agreed[key] = agreed + values.looked
        return values.from_elsewhere

    def kept(
        self, child: int, found: dict[int, float], varying: tuple[Predicate, ...]
    ) -> dict[int, float]:
        """Parents (statements, with how strongly they are linked) without those that values have ruled out."""
        return {
            parent: strength
            for parent, strength in found.items()
            if (child, parent) not in self._doubted or not self._ruled_out(child, parent, varying)
        }

    def _ruled_out(self, child: int, parent: int, varying: tuple[Predicate, ...]) -> bool:
        made = self._shapes.link(child, parent, varying)
        return self._known(child, parent, made).from_elsewhere

    def _known(self, child: int, parent: int, made: Link) -> DrawnValues:
        return self._seen.get((child, parent, made.asks, made.told), _UNSEEN)

    def _weighed(
        self, sample: Sampled, parent: int, made: Link, varying: tuple[Predicate, ...]
    ) -> Link:
        """A link as values see it: stronger, the same, another one, or refuted."""
        for _ in range(_TRIED):
            seen = self._look(sample, parent, made)
            beside = seen.from_parent and not seen.listed and sample.in_turns(parent)
            if made.refuted or not (seen.from_elsewhere or beside):
                return _believed(made, seen)
            made = self.instead(sample.number, parent, varying, made)
        return made

    def instead(self, child: int, parent: int, varying: tuple[Predicate, ...], made: Link) -> Link:
        """Another link as good between two statements, where values speak against one; else it, refuted."""
        for other in self._shapes.links(child, parent, varying):
            if other.strength < made.strength:
                break
            differs = (other.asks, other.told) != (made.asks, made.told)
            if differs and not self._known(child, parent, other).from_elsewhere:
                return other
        how = f"runs as a loop behind reads of {made.parent_table}, with values from elsewhere"
        return replace(made, strength=REFUTED, how=how, parent_columns=(), refuted=True)

    def _look(self, sample: Sampled, parent: int, made: Link) -> DrawnValues:
        """What is known so far of the values by which two statements would be linked."""
        if made.asks is None or made.told is None:
            return _UNSEEN
        if not self._shapes.holds(parent, (made.parent_table, made.told)):
            return _UNSEEN
        key = sample.number, parent, made.asks, made.told
        if len(self._seen) >= _MOST_PAIRS and key not in self._seen:
            return _UNSEEN
        seen = self._seen.setdefault(key, DrawnValues())
        if seen.looked < _SETTLED:
            sample.compare(parent, made, seen)
            if seen.from_elsewhere:
                self._doubted.add((sample.number, parent))
        return seen

    def _by_values(
        self, sample: Sampled, parent: int, varying: tuple[Predicate, ...]
    ) -> Link | None:
        """A link that values make, where neither keys nor names suggest one."""
        asked = sample.number, parent
        if asked in self._made:
            return self._made[asked]
        child, facts = self._shapes.facts(sample.number), self._shapes.facts(parent)
        found, settled = None, True
        for lookup in varying:
            for one in facts.lists:
                table, owner = one.table or facts.main_table, lookup.table or child.main_table
                if table is None or owner is None:
                    continue
                how = f"{owner}.{lookup.column} has the values that {table}.{one.column} was asked for"
                loaded = loaded_table(child, owner, self._shapes.reads(parent))
                made = Link(_BY_VALUES, how, table, (one.column,), loaded, lookup, one.column)
                seen = self._look(sample, parent, made)
                settled &= seen.looked >= _SETTLED
                if found is None and seen.from_parent:
                    found = _covering(sample, parent, made)
        if found or settled:
            self._made[asked] = found
        return found


def _covering(sample: Sampled, parent: int, made: Link) -> Link | None:
    """The link if the children of an execution look up most of its list's values, as a loop does."""
    values, size = sample.listed(parent, made)
    if len(values) < max(ENOUGH, _COVERED * size):
        return None
    small = all(is_number(one) and abs(int(one)) < _SMALL for one in values)
    return replace(made, strength=_BY_SMALL_NUMBERS) if small else made


def _believed(made: Link, seen: DrawnValues) -> Link:
    """A link that is not sure is more so where the values are the parent's."""
    if made.strength >= SURE_LINK or not seen.from_parent:
        return made
    return replace(made, strength=min(made.strength + _MORE, _BY_VALUES))
