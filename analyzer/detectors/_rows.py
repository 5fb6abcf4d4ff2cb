"""A slice's executions as arrays, in the orders in which loops are looked for.

Everything here works on row numbers of the slice.
"""

import math

import numpy as np

from analyzer.detectors._found import Values
from analyzer.detectors._links import lookups
from analyzer.detectors._places import Places
from analyzer.model.columns import Flags, Rows, sorted_distinct, starts_of_runs
from analyzer.model.statement import StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.sql.parameters import pick, split_parameters, values_in

MINIMUM = 5  # executions from which a repetition is a loop
_BATCH = 8  # values from which a list is a batch
_READ_TEXTS = 64  # parameter texts that are read to see whether a group's lookups differ
_READ_GROUPS = 64  # units of work that are read at a time
_READ_VALUES = 4  # units of work whose values are compared
_READ_LARGEST = 16  # of them, that are read to say how many lookups one does at most
_TRUSTED_FROM = 200  # texts after which it is known whether other texts mean other lookups
_SETTLED_FROM = 2000  # texts after which their share of other lookups says how many to ask for
_TRUSTED_SHARE = 0.9  # of them were other lookups


class Lookups:
    """What executions look up, as far as it is known: kept from slice to slice.

    Reading parameters is the dearest step of the search. Equal texts are equal lookups; once
    enough different texts of a statement have all been different lookups, they are taken to be,
    and where nearly all were, twice as many texts are asked for.
    """

    def __init__(self) -> None:
        self._parameters: dict[int, tuple[int, ...]] = {}  # by key: which parameters are looked up
        self._read: dict[int, tuple[int, int]] = {}  # by statement: texts, different lookups
        self.most: dict[int, int] = {}  # by statement: different lookups that a unit of work did

    def parameters(self, key: int, facts: StatementFacts) -> tuple[int, ...]:
        """The parameters (coded as in Predicate) of a key's lookups."""
        found = self._parameters.get(key)
        if found is None:
            found = self._parameters[key] = tuple(one.parameter for one in lookups(facts))
        return found

    def texts_needed(self, statement: int) -> int | None:
        """From how many different texts on they are MINIMUM different lookups; None: not known."""
        texts, different = self._read.get(statement, (0, 0))
        if texts >= _SETTLED_FROM:
            return math.ceil(MINIMUM * texts / different)
        if texts < _TRUSTED_FROM or different < _TRUSTED_SHARE * texts:
            return None
        return MINIMUM if texts == different else 2 * MINIMUM

    def note(self, statement: int, texts: int, different: int) -> None:
        """Learn from texts of one unit of work, all different, how many lookups they were."""
        known = self._read.get(statement, (0, 0))
        self._read[statement] = (known[0] + texts, known[1] + different)


class ExecutionRows(Places):
    """Columns of a slice; `place` orders rows by unit of work, then time."""

    def __init__(self, work: WorkSlice, known: Lookups) -> None:
        super().__init__(work)
        self._known = known
        self._limits: dict[int, int | None] = {}  # by key and parameters

    def value(self, row: int, place: int) -> str | None:
        """The value that the place-th lookup of the row's statement is done with."""
        values = self._looked_up(row)
        return values[place] if values is not None and place < len(values) else None

    def limits(self, rows: Rows) -> list[int | None]:
        """The most rows that each execution can have returned, None where nothing tells."""
        code = self.work.key[rows].astype(np.int64) << 32 | self.work.parameters_hash[rows]
        codes, limits = code.tolist(), self._limits
        texts = self.work.parameters[rows].tolist()
        for one, text in zip(codes, texts, strict=True):
            if one not in limits:
                limits[one] = self._limit(one >> 32, text)
        return [limits[one] for one in codes]

    def _limit(self, key: int, text: int) -> int | None:
        """The LIMIT of an execution of a key's text with parameters of that number (-1 none)."""
        facts = self._facts(key)
        if facts.limit_parameter and text >= 0:
            digits = (pick(self.work.texts[text], facts.limit_parameter) or "").strip("'")
            if digits.isdecimal() and len(digits) < 18:  # noqa: PLR2004 - an int64
                return int(digits)
        return facts.limit if facts.limit is not None and facts.limit >= 0 else None

    def few_values(self, rows: Rows) -> bool:
        """Whether most of some executions have few parameters: their lists are no batches."""
        texts = self.work.parameters[rows[:_READ_GROUPS]]
        counts = sorted(
            len(split_parameters(self.work.texts[text])) for text in texts[texts >= 0].tolist()
        )
        return bool(counts) and counts[len(counts) // 2] < _BATCH

    def different_lookups(self, rows: Rows, groups: Rows, count: int) -> Flags:
        """Which groups (0..count-1) of a statement's rows do at least MINIMUM different lookups.

        Values that were not logged count as different.
        """
        counted = self.texts_counted(rows, groups, count)
        enough: Flags = counted >= MINIMUM
        doubtful = np.flatnonzero(enough)
        while len(doubtful):
            needed = self._known.texts_needed(int(self.work.statement[rows[0]]))
            if needed is not None:
                doubtful = doubtful[counted[doubtful] < needed]
            # What is learnt from some may spare reading the others.
            some, doubtful = doubtful[:_READ_GROUPS], doubtful[_READ_GROUPS:]
            enough[some] = self._read_some(rows, groups, some, count)
        return enough

    def _read_some(self, rows: Rows, groups: Rows, some: Rows, count: int) -> Flags:
        """Read of some groups whether they do MINIMUM different lookups."""
        wanted = np.zeros(count, dtype=bool)
        wanted[some] = True
        members = wanted[groups]
        first, group, unlogged = self._texts(rows[members], groups[members], count)
        ends = np.searchsorted(group, some, side="right")
        flags = []
        for number, start, end in zip(some, np.searchsorted(group, some), ends, strict=True):
            missing = MINIMUM - int(unlogged[number])
            texts = first[start : min(end, start + _READ_TEXTS)]
            flags.append(missing <= 0 or self._count(texts, missing) >= missing)
        return np.array(flags, dtype=bool)

    def most_lookups(self, rows: Rows, groups: Rows, count: int) -> int:
        """How many different lookups the group (0..count-1) does that does most of them.

        The largest number that any slice so far has shown for the statement.
        """
        at_most = self.texts_counted(rows, groups, count)
        statement = int(self.work.statement[rows[0]])
        most = self._known.most.get(statement, 0)
        for number in np.argsort(-at_most, kind="stable")[:_READ_LARGEST].tolist():
            if at_most[number] <= most:
                break
            mine = rows[groups == number]
            first, _, unlogged = self._texts(mine, np.zeros(len(mine), dtype=np.int64), 1)
            most = max(most, self._count(first, len(first) + 1) + int(unlogged[0]))
        self._known.most[statement] = most
        return most

    def values_of_units(self, rows: Rows) -> frozenset[Values]:
        """What some units of work look up, of a statement's rows unit by unit."""
        starts = np.flatnonzero(starts_of_runs(self.request[rows]))
        parts = np.split(rows, starts[1 : _READ_VALUES + 1])[:_READ_VALUES]
        return frozenset(
            frozenset(self._looked_up(row) for row in part[:_READ_TEXTS].tolist()) for part in parts
        )

    def texts_counted(self, rows: Rows, groups: Rows, count: int) -> Rows:
        """How many different parameter texts each group has; those not logged count as different."""
        hashes = self.work.parameters_hash[rows]
        logged = hashes != 0
        texts = sorted_distinct(groups[logged] << 32 | hashes[logged])
        unlogged = np.bincount(groups[~logged], minlength=count)
        return np.bincount(texts >> 32, minlength=count) + unlogged

    def _texts(self, rows: Rows, groups: Rows, count: int) -> tuple[Rows, Rows, Rows]:
        """The first row with each parameter text in each group, its group, and rows without text."""
        hashes = self.work.parameters_hash[rows].astype(np.int64)
        logged = np.flatnonzero(hashes)
        unlogged = np.bincount(groups[hashes == 0], minlength=count)
        code = groups[logged] << 32 | hashes[logged]
        order = np.argsort(code, kind="stable")
        new = order[starts_of_runs(code[order])] if len(order) else order
        new.sort()  # in the order of time within each group, as far as the rows are
        new = new[np.argsort(groups[logged[new]], kind="stable")]
        return rows[logged[new]], groups[logged[new]], unlogged

    def _count(self, rows: Rows, wanted: int) -> int:
        """How many different lookups rows with different texts do, counted until there are `wanted`."""
        found: set[tuple[str | None, ...] | None] = set()
        read = 0
        for row in rows.tolist():
            found.add(self._looked_up(row))
            read += 1
            if len(found) >= wanted:
                break
        if read:
            self._known.note(int(self.work.statement[rows[0]]), read, len(found))
        return len(found)

    def _looked_up(self, row: int) -> tuple[str | None, ...] | None:
        """The values that a row's lookups are done with, None where they were not logged."""
        key = int(self.work.key[row])
        return self._values(row, self._known.parameters(key, self._facts(key)))

    def _values(self, row: int, parameters: tuple[int, ...]) -> tuple[str | None, ...] | None:
        text = int(self.work.parameters[row])
        if text < 0:
            return None
        values = values_in(self.work.texts[text])
        return tuple([values.at(one) for one in parameters])  # made quicker than by a generator

    def _facts(self, key: int) -> StatementFacts:
        facts = self.work.key_facts[key]
        if facts is None:
            raise LookupError(f"key {key} was counted and never identified")
        return facts
