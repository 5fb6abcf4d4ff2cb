"""What the search for loops knows of statements: kept from slice to slice."""

from collections.abc import Sequence

import numpy as np

from analyzer.detectors._links import Link, finds_one_row, link, lookups
from analyzer.detectors._rows import ExecutionRows, Lookups
from analyzer.model.catalog import Catalog
from analyzer.model.columns import Flags, Rows
from analyzer.model.statement import Arity, Kind, Predicate, Statement, StatementFacts

SURE_LINK = 0.7  # from this strength on the nearest parent wins, not the better linked one
_SAMPLE = 250  # executions looked at to see which lookups vary


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
        self._links: dict[tuple[int, int, int], Link | None] = {}
        self._sure: dict[tuple[int, int], list[tuple[int, Link]]] = {}
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
            self._can_drive.append(
                facts.kind is Kind.SELECT and not finds_one_row(facts, self.catalog)
            )
            if facts.kind in (Kind.UPDATE, Kind.DELETE):
                self._writers.setdefault(facts.main_table, []).append(number)
            if not self.tables.issuperset(facts.tables):
                self.tables |= frozenset(facts.tables)
                self._links.clear()  # names of tables decide what a column may refer to
            self._sure.clear()

    def facts(self, number: int) -> StatementFacts:
        """The facts of a statement."""
        return self._facts[number]

    @property
    def repeatable(self) -> Flags:
        """By statement: SELECTs that may be repeated for no good reason."""
        return np.array(self._repeatable, dtype=bool)

    @property
    def looking_up(self) -> Flags:
        """By statement: those that may be the child of a loop."""
        return np.array(self._looks_up, dtype=bool)

    @property
    def driving(self) -> Flags:
        """By statement: SELECTs that can return several rows, so that a loop may run over them."""
        return np.array(self._can_drive, dtype=bool)

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

    def link(self, child: int, parent: int, varying: tuple[Predicate, ...]) -> Link | None:
        """How a child's varying lookups depend on a parent's rows."""
        asked = (child, parent, len(varying))  # of a statement's lookups ever more are seen to vary
        if asked not in self._links:
            facts = self._facts
            made = link(facts[child], varying, facts[parent], self.catalog, self.tables)
            self._links[asked] = made
        return self._links[asked]

    def sure_parents(self, child: int, varying: tuple[Predicate, ...]) -> list[tuple[int, Link]]:
        """All statements that can return several rows and are surely linked to the child."""
        asked = (child, len(varying))
        if asked not in self._sure:
            self._sure[asked] = [
                (parent, made)
                for parent in np.flatnonzero(self.driving).tolist()
                if parent != child
                and (made := self.link(child, parent, varying))
                and made.strength >= SURE_LINK
            ]
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
        _, first = np.unique(rows.work.parameters_hash[some], return_index=True)
        for row in some[np.sort(first)].tolist():
            for place in range(count):
                value = rows.value(row, place)
                if self._values.setdefault((number, place), value) != value:
                    varies.add(place)
            if len(varies) == count:
                return
        varies |= {place for place in range(count) if self._values.get((number, place)) is None}
