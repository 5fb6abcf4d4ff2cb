"""What the search for loops knows of statements: kept from slice to slice."""

from collections.abc import Iterator, Sequence
from dataclasses import field

import numpy as np

from analyzer.detectors._allowed import held_columns
from analyzer.detectors._links import (
    Link,
    Lookup,
    best_of_each,
    finds_one_row,
    link,
    links,
    looked_up,
    lookups,
    told_by,
)
from analyzer.detectors._reads import Named, Reads
from analyzer.detectors._rows import ExecutionRows, Lookups
from analyzer.model.catalog import Catalog
from analyzer.model.columns import Flags, Floats, Rows
from analyzer.model.statement import Arity, Kind, Predicate, Statement, StatementFacts
from analyzer.records import changing

SURE_LINK = 0.7  # from this strength on the nearest parent wins, not the better linked one
_SAMPLE = 250  # executions looked at to see which lookups vary


@changing
class _Told:
    """What may tell the value of a lookup.

    By what statements read: how sure the best link is (0 without one), and the column that tells it then, if it is
    a single one. By statement: whether it is held there.
    """

    strengths: list[float] = field(default_factory=list)
    columns: list[Named | None] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)


class Shapes:
    """Which statements may be parents and children, how they are linked, and which lookups vary."""

    def __init__(self, catalog: Catalog | None) -> None:
        self.catalog = catalog
        self.lookups = Lookups()
        self.tables: frozenset[str] = frozenset()
        self._facts: list[StatementFacts] = []
        self._repeatable: list[bool] = []
        self._looks_up: list[bool] = []
        self._can_drive: list[bool] = []
        self._writers: dict[str | None, list[int]] = {}
        self._reading: list[int] = []  # by statement: which of _reads its rows are, -1 of one
        self._reads: list[Reads] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._asked: dict[tuple[int, int], list[Lookup]] = {}
        self._told: dict[Lookup, _Told] = {}
        self._held: list[frozenset[Named]] = []  # by statement: columns that its values speak of
        self._lists: list[bool] = []
        self._links: dict[tuple[int, int, int], Link] = {}
        self._sure: dict[tuple[int, int], dict[int, float]] = {}
        self._values: dict[tuple[int, int], str | None] = {}
        self._varies: dict[int, set[int]] = {}

    def learn(self, statements: Sequence[Statement]) -> None:
        """Take note of statements that are new."""
        for number in range(len(self._facts), len(statements)):
            facts = statements[number].facts
            looks_up = bool(lookups(facts))
            self._facts.append(facts)
            self._repeatable.append(facts.kind is Kind.SELECT and (looks_up or not facts.cursor))
            self._looks_up.append(looks_up)
            drives = facts.kind is Kind.SELECT and not finds_one_row(facts, self.catalog)
            self._can_drive.append(drives)
            self._reading.append(self._number(facts) if drives else -1)
            self._held.append(held_columns(facts) if drives else frozenset())
            self._lists.append(bool(facts.lists))
            if facts.kind in (Kind.UPDATE, Kind.DELETE):
                self._writers.setdefault(facts.main_table, []).append(number)
            if not self.tables.issuperset(facts.tables):
                self.tables |= frozenset(facts.tables)
                self._links.clear()  # names of tables decide what a column may refer to
                self._told.clear()
            self._sure.clear()

    def _number(self, facts: StatementFacts) -> int:
        """Which of `_reads` is what a statement reads; many read the same."""
        read = facts.tables, facts.main_table, facts.star, facts.columns
        number = self._numbers.setdefault(read, len(self._numbers))
        if number == len(self._reads):
            self._reads.append(Reads.of(facts))
        return number

    def facts(self, number: int) -> StatementFacts:
        """The facts of a statement."""
        return self._facts[number]

    @property
    def repeatable(self) -> Flags:
        """By statement: SELECTs that may be repeated for no good reason."""
        return np.array(self._repeatable, dtype=bool)

    @property
    def bulk(self) -> Flags:
        """By statement: INSERTs of several rows."""
        return np.array([facts.rows_written > 1 for facts in self._facts], dtype=bool)

    @property
    def looking_up(self) -> Flags:
        """By statement: those that may be the child of a loop."""
        return np.array(self._looks_up, dtype=bool)

    @property
    def driving(self) -> Flags:
        """By statement: SELECTs that can return several rows, so that a loop may run over them."""
        return np.array(self._can_drive, dtype=bool)

    @property
    def listing(self) -> Flags:
        """By statement: those that ask for the values of a list."""
        return np.array(self._lists, dtype=bool)

    def may_loop(self, number: int, rows: ExecutionRows, some: Rows) -> bool:
        """Whether running it with other parameters again is a loop, and no paging or batching.

        Lists of values are a batch, unless those of `some` of its rows are short.
        """
        facts = self._facts[number]
        if lookups(facts):
            return True
        if facts.offset is not None:
            return False
        takes_lists = any(one.arity is Arity.MANY for one in facts.predicates)
        looped = facts.disjunctive or facts.grouped or facts.one_row
        if takes_lists:
            return looped or rows.few_values(some)
        return looped or self.counts_texts(number, rows, some)

    def counts_texts(self, number: int, rows: ExecutionRows, some: Rows) -> bool:
        """Whether any other parameters make another lookup, of rows that are known to be one request's.

        Conditions that are no plain equality (`lower(name) = lower($1)`, a range) may be what a loop
        varies; not so in pages of a list.
        """
        facts = self._facts[number]
        work = rows.work
        told = work.whole[some].all() and work.parameters_hash[some].all()
        if facts.offset is not None or not told:
            return False
        return rows.limits(some[:1])[0] in (None, 1)

    def by_text(self, number: int) -> bool:
        """Whether it takes all parameters to tell two lookups apart, not just those of equalities."""
        facts = self._facts[number]
        several = any(predicate.arity is Arity.MANY for predicate in facts.predicates)
        return facts.disjunctive or several or not lookups(facts)

    def writers(self, table: str | None) -> Sequence[int]:
        """The statements that change or delete rows of a table that were there."""
        return self._writers.get(table, ())

    def link(self, child: int, parent: int, varying: tuple[Predicate, ...]) -> Link:
        """How a child's varying lookups depend on the rows of a parent, one of those with a strength."""
        asked = (child, parent, len(varying))  # of a statement's lookups ever more are seen to vary
        if asked not in self._links:
            facts = self._facts
            made = link(facts[child], varying, self.reads(parent), self.catalog, self.tables)
            if made is None:
                raise LookupError(f"statement {child} is not linked to statement {parent}")
            self._links[asked] = made
        return self._links[asked]

    def links(self, child: int, parent: int, varying: tuple[Predicate, ...]) -> list[Link]:
        """All the ways in which they may, the most likely first."""
        return links(self._facts[child], varying, self.reads(parent), self.catalog, self.tables)

    def reads(self, parent: int) -> Reads:
        """What a statement that can return several rows reads."""
        return self._reads[self._reading[parent]]

    def strengths(self, child: int, varying: tuple[Predicate, ...]) -> Floats:
        """By statement: how sure the best link of a child's varying lookups to it is, 0 without one.

        Of those that can return several rows.
        """
        best = np.zeros(len(self._reads) + 1)
        for told in self._known(child, varying):
            np.maximum(best[:-1], told.strengths, out=best[:-1])
        found: Floats = best[self._reading]
        return found

    def holds(self, number: int, column: Named) -> bool:
        """Whether a statement that can return several rows asks for values of a column."""
        return column in self._held[number]

    def holding(self, child: int, varying: tuple[Predicate, ...]) -> Flags:
        """By statement: those that hold a column which may tell the child what it looks up.

        What they were asked for says then whether it can have.
        """
        found = np.zeros(len(self._facts), dtype=bool)
        for told in self._known(child, varying):
            for number in range(len(told.held), len(self._facts)):
                held = self._held[number]
                told.held.append(bool(held) and told.columns[self._reading[number]] in held)
            found |= told.held
        return found

    def _known(self, child: int, varying: tuple[Predicate, ...]) -> Iterator["_Told"]:
        """What is known of a child's varying lookups."""
        asked = child, len(varying)
        if asked not in self._asked:
            found = looked_up(self._facts[child], varying, self.catalog)
            self._asked[asked] = [lookup for lookup, _ in found]
        for lookup in self._asked[asked]:
            known = self._told.setdefault(lookup, _Told())
            new = self._reads[len(known.strengths) :]
            for made in best_of_each(lookup, new, self.catalog, self.tables) if new else ():
                known.strengths.append(made.strength if made else 0.0)
                column = told_by(made) if made else None
                known.columns.append((made.parent_table, column) if made and column else None)
            yield known

    def sure_parents(self, child: int, varying: tuple[Predicate, ...]) -> dict[int, float]:
        """All statements that can return several rows and are surely linked to the child; how surely."""
        asked = (child, len(varying))
        if asked not in self._sure:
            strengths = self.strengths(child, varying)
            sure = np.flatnonzero(strengths >= SURE_LINK).tolist()
            self._sure[asked] = {one: float(strengths[one]) for one in sure if one != child}
        return self._sure[asked]

    def varying(self, number: int, rows: ExecutionRows, some: Rows) -> tuple[Predicate, ...]:
        """The lookups whose value changes between executions; all where values are unknown."""
        wanted = lookups(self._facts[number])
        varies = self._varies.setdefault(number, set())
        if len(varies) < len(wanted):
            self._look(number, rows, some, len(wanted), varies)
        return tuple(one for place, one in enumerate(wanted) if place in varies)

    def _look(
        self, number: int, rows: ExecutionRows, some: Rows, count: int, varies: set[int]
    ) -> None:
        """Compare executions with different parameter texts, until every lookup was seen to vary."""
        some = some[:_SAMPLE]
        texts = rows.work.parameters_hash[some].tolist()
        firsts = {text: place for place, text in reversed(list(enumerate(texts)))}
        for values in rows.looked_up(some[sorted(firsts.values())]):
            known = values or ()
            for place, value in enumerate((*known, *[None] * (count - len(known)))[:count]):
                if self._values.setdefault((number, place), value) != value:
                    varies.add(place)
            if len(varies) == count:
                return
        varies |= {place for place in range(count) if self._values.get((number, place)) is None}
