"""Loops of statements: which children follow which parent, over all slices of a run.

The computed fact behind n-plus-one, repeated-lookup and repeated-query. Each slice is searched
(_search.py) and let go; what is kept of a loop are its figures and a few executions as examples.
"""

from collections.abc import Mapping
from dataclasses import field

import numpy as np

from analyzer.detectors._base import examples_of
from analyzer.detectors._drawn import DrawnValues
from analyzer.detectors._figures import RowFigures, Sample, Sizes, occurrences
from analyzer.detectors._found import Groups, Pair, Values
from analyzer.detectors._found import Loops as Found
from analyzer.detectors._guard import Guard
from analyzer.detectors._hits import hits_of
from analyzer.detectors._links import Link
from analyzer.detectors._neighbours import Neighbours
from analyzer.detectors._places import NONE
from analyzer.detectors._ruled_out import ruled_out
from analyzer.detectors._search import Search
from analyzer.detectors._shapes import Shapes
from analyzer.detectors._shared_search import SharedSearch
from analyzer.detectors._timelines import timeline_of
from analyzer.detectors._weighed import Weigher
from analyzer.model.catalog import Catalog
from analyzer.model.columns import counted, sorted_distinct
from analyzer.model.evidence_parts import ExampleExecution, Timeline
from analyzer.model.ruled_out import Verdict
from analyzer.model.statement import Predicate
from analyzer.model.work import LoopHits, WorkSlice
from analyzer.records import changing

_CONSTANT_FROM = 2  # units of work from which equal values are taken to be written in the program
_COMPARED = 512  # values of a loop's children that are compared with their parents'
_SHOWN = 3  # executions of a loop that are shown as examples


@changing
class PairFigures:
    """A parent and a child statement (positions in Workload.statements), and their loops.

    `rows` are about the children. `per_occurrence` are children of one run of the whole nest,
    `per_parent` those behind one execution of the parent, `wall_ms` the times of the runs from the
    outermost parent's end to the last child's. `one_transaction`: no run spans two transactions.
    `parallel`: some children ran on other connections than their parent. `values` compares what some
    children looked up with what their parents can return. The `examples` are a
    parent of the largest loop and its first children, the `timeline` is that loop's.
    """

    parent: int
    child: int
    link: Link
    lookups: tuple[Predicate, ...]
    rows: RowFigures = field(default_factory=RowFigures)
    per_occurrence: Sizes = field(default_factory=Sizes)
    per_parent: Sizes = field(default_factory=Sizes)
    wall_ms: Sample = field(default_factory=Sample)
    one_transaction: bool = True
    parallel: bool = False
    values: DrawnValues = field(default_factory=DrawnValues)
    examples: tuple[ExampleExecution, ...] = ()
    timeline: Timeline | None = None

    def add(self, work: WorkSlice, pair: Pair) -> None:
        """Add the loops of a slice."""
        rows, children = self.rows, pair.children
        rows.add(work, children, pair.parents)
        roots, sizes, last_us, together = occurrences(
            pair.roots, children, work.end_us, work.transaction
        )
        self.per_occurrence.add(sizes)
        self.wall_ms.add((last_us - work.end_us[roots]) / 1000)
        self.one_transaction &= together
        # Children on other connections belong to the request of the statement that began the loop.
        rows.add_requests(work, sorted_distinct(work.request[roots]))
        parents = roots
        if not np.array_equal(pair.parents, pair.roots):
            parents, sizes = counted(pair.parents)
        if sizes.max() > self.per_parent.largest:
            largest = int(parents[np.argmax(sizes)])
            behind = children[pair.parents == largest]
            self.examples = examples_of(work, [largest, *behind[:_SHOWN].tolist()])
            self.timeline = timeline_of(work, largest, behind)
        self.per_parent.add(sizes)
        self.parallel |= pair.parallel


@changing
class GroupFigures:
    """Repetitions of one statement (position in Workload.statements) in units of work.

    `rows` are about all of them, `sizes` has the executions in each unit, `distinct` the largest
    number of different lookups (or parameter texts) in one, `needed` their sum over all units.
    `crowds` counts slices in which each was known to be of one request though connections were
    shared: as a crowd, or in a transaction. `values` are what some units looked up.
    """

    statement: int
    rows: RowFigures = field(default_factory=RowFigures)
    sizes: Sizes = field(default_factory=Sizes)
    distinct: int = 0
    needed: int = 0
    crowds: int = 0
    values: frozenset[Values] = frozenset()
    examples: tuple[ExampleExecution, ...] = ()

    @property
    def always_the_same(self) -> bool:
        """Whether one unit after the other looked up the very same values."""
        return self.sizes.count >= _CONSTANT_FROM and len(self.values) == 1

    def add(self, work: WorkSlice, groups: Groups) -> None:
        """Add the repetitions of a slice."""
        if len(self.values) <= 1:
            self.values |= groups.values
        largest = int(np.argmax(groups.sizes))
        if groups.sizes[largest] > self.sizes.largest:
            first = int(groups.sizes[:largest].sum())
            self.examples = examples_of(work, groups.rows[first : first + _SHOWN].tolist())
        self.rows.add(work, groups.rows, work.request[groups.rows])
        self.crowds += groups.sure
        if groups.sure:
            self.rows.whole += len(groups.rows)
        self.rows.add_requests(work, groups.requests)
        self.sizes.add(groups.sizes)
        self.distinct = max(self.distinct, groups.distinct)
        self.needed += groups.needed


@changing
class Loops:
    """What was found: pairs, lookups without a parent, identical repetitions.

    `ruled_out` has executions and units of work by statement (position in Workload.statements) and
    what they are instead of a loop.
    """

    pairs: list[PairFigures] = field(default_factory=list)
    lookups: list[GroupFigures] = field(default_factory=list)
    repeated: list[GroupFigures] = field(default_factory=list)
    ruled_out: Mapping[tuple[int, Verdict], tuple[int, int]] = field(default_factory=dict)


class LoopFinder:
    """Searches each slice once, for all detectors that ask when all were seen."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        self._shapes = Shapes(catalog)
        self._weigher = Weigher(self._shapes)
        self._pairs: dict[tuple[int, int], PairFigures] = {}
        self._lookups: dict[int, GroupFigures] = {}
        self._repeated: dict[int, GroupFigures] = {}
        self._ruled_out: dict[tuple[int, Verdict], tuple[int, int]] = {}
        self._guard = Guard()
        self.neighbours = Neighbours()  # other detectors' watchers of the same slices

    def observe(self, work: WorkSlice) -> list[LoopHits]:
        """Search a slice of executions: what fixes would spare of it.

        What goes wrong is raised when `find` is called.
        """
        found = Found()
        if len(work):
            found = self._guard.look(lambda: self._search(work), found)
        children = np.concatenate([NONE, *(pair.children for pair in found.pairs)])
        others = (group.rows for group in (*found.lookups, *found.repeated))
        self.neighbours.observe(work, children, np.concatenate([children, *others]))
        return hits_of(work, found)

    def _search(self, work: WorkSlice) -> Found:
        if work.marker >= 0 or work.spread:
            shared = SharedSearch(work, self._shapes, self._weigher)
            found, told = shared.run(), shared.told
        else:
            search = Search(work, self._shapes, self._weigher)
            found = search.run()
            told = ruled_out(search, found)
        for number, verdict, executions, requests in told:
            before = self._ruled_out.get((number, verdict), (0, 0))
            self._ruled_out[number, verdict] = before[0] + executions, before[1] + requests
        for pair in found.pairs:
            known = self._pairs.setdefault(
                (pair.child, pair.parent),
                PairFigures(pair.parent, pair.child, pair.link, pair.lookups),
            )
            known.link, known.lookups = pair.link, pair.lookups
            known.add(work, pair)
            if known.values.looked + known.values.sortable < _COMPARED:
                known.values.add(self._weigher.look(work, pair))
        for groups, figures in ((found.lookups, self._lookups), (found.repeated, self._repeated)):
            for group in groups:
                number = group.statement
                figures.setdefault(number, GroupFigures(number)).add(work, group)
        return found

    def find(self) -> Loops:
        """The loops of all slices."""
        self._guard.settle()
        # Beside a pair, a run whose parent was logged before the input begins is the same loop.
        children = {pair.child for pair in self._pairs.values()}
        return Loops(
            list(self._pairs.values()),
            [figures for number, figures in self._lookups.items() if number not in children],
            list(self._repeated.values()),
            self._ruled_out,
        )
