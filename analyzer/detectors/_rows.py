"""A slice's executions as arrays, in the orders in which loops are looked for.

Everything here works on row numbers of the slice.
"""

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from analyzer.detectors._found import Values
from analyzer.detectors._links import lookups
from analyzer.detectors._numbers import numbers_at
from analyzer.detectors._orders import distinct_in_groups
from analyzer.detectors._places import Places
from analyzer.detectors._watcher import LearnedKeys
from analyzer.model.columns import Flags, Rows, distinct, starts_of_runs
from analyzer.model.statement import StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.sql.parameters import pick, split_parameters, values_in

LookedUp = tuple[str | None, ...] | None  # the values of a row's lookups; None: not logged

MINIMUM = 5  # executions from which a repetition is a loop
NO_LIMIT = 1 << 62  # above any LIMIT
_BATCH = 8  # values from which a list is a batch
_READ_TEXTS = 64  # parameter texts that are read to see whether a group's lookups differ
_READ_GROUPS = 64  # units of work that are read at a time
_READ_VALUES = 4  # units of work whose values are compared
_READ_LARGEST = 16  # of them, that are read to say how many lookups one does at most
_TRUSTED_FROM = 200  # texts after which it is known whether other texts mean other lookups
_SETTLED_FROM = 2000  # texts after which their share of other lookups says how many to ask for
_TRUSTED_SHARE = 0.9  # of them were other lookups


class _Limits(LearnedKeys):
    """By text: one more than its LIMIT, or than NO_LIMIT; 0 where parameters may tell."""

    def _judge(self, facts: StatementFacts) -> int:
        if facts.limit_parameter:
            return 0
        limit = facts.limit if facts.limit is not None and facts.limit >= 0 else NO_LIMIT
        return 1 + min(limit, NO_LIMIT)


class Lookups:
    """What executions look up, as far as it is known: kept from slice to slice.

    Reading parameters is the dearest step of the search. Equal texts are equal lookups; once
    enough different texts of a statement have all been different lookups, they are taken to be,
    and where nearly all were, twice as many texts are asked for.
    """

    def __init__(self) -> None:
        self._parameters: dict[int, tuple[int, ...]] = {}  # by key: which parameters are looked up
        self._read: dict[int, tuple[int, int]] = {}  # by statement: texts, different lookups
        self.limits = _Limits()
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
        self._looked: dict[int, LookedUp] = {}  # the same

    @cached_property
    def values_known(self) -> bool:
        """Whether any execution was logged with what it was called with."""
        return bool(self.work.parameters.max(initial=-1) >= 0)

    def limits(self, rows: Rows) -> list[int | None]:
        """The most rows that each execution can have returned, None where nothing tells."""
        codes, limits = self._codes(rows).tolist(), self._limits
        texts = self.work.parameters[rows].tolist()
        for one, text in zip(codes, texts, strict=True):
            if one not in limits:
                limits[one] = self._limit(one >> 32, text)
        return [limits[one] for one in codes]

    def most_rows(self, rows: Rows) -> Rows:
        """As `limits`, in numbers: NO_LIMIT where nothing tells."""
        found = self._most_rows[self.work.key[rows]] - 1
        asked = np.flatnonzero(found < 0)
        keys = self.work.key[rows[asked]]
        parameters = np.zeros(len(asked), dtype=np.int64)
        for key in distinct(keys).tolist():
            parameters[keys == key] = self._facts(key).limit_parameter
        found[asked] = numbers_at(self.work.texts, self.work.parameters[rows[asked]], parameters)
        asked = asked[found[asked] < 0]  # what is no plain number
        limits = self.limits(rows[asked])
        found[asked] = [NO_LIMIT if limit is None else limit for limit in limits]
        return found

    @cached_property
    def _most_rows(self) -> Rows:
        """By text."""
        return self._known.limits.by_text(self.work)

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
        return frozenset(frozenset(self.looked_up(part[:_READ_TEXTS])) for part in parts)

    def texts_counted(self, rows: Rows, groups: Rows, count: int) -> Rows:
        """How many different parameter texts each group has; those not logged count as different."""
        return distinct_in_groups(self.work.parameters_hash[rows], groups, count)

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
        found: set[LookedUp] = set()
        read = 0
        for read, values in enumerate(self.looked_up(rows), 1):  # noqa: B007 - counted
            found.add(values)
            if len(found) >= wanted:
                break
        if read:
            self._known.note(int(self.work.statement[rows[0]]), read, len(found))
        return len(found)

    def looked_up(self, rows: Rows) -> Iterator[LookedUp]:
        """The values that rows' lookups are done with; the same few are read again and again."""
        looked = self._looked
        texts = self.work.parameters[rows].tolist()
        for code, text in zip(self._codes(rows).tolist(), texts, strict=True):
            if code not in looked:
                looked[code] = self._values(code >> 32, text)
            yield looked[code]

    def _codes(self, rows: Rows) -> Rows:
        """What rows' texts and parameters are, each as one number."""
        return self.work.key[rows].astype(np.int64) << 32 | self.work.parameters_hash[rows]

    def _values(self, key: int, text: int) -> LookedUp:
        """The values of a key's lookups with parameters of that number (-1 none)."""
        if text < 0:
            return None
        values = values_in(self.work.texts[text])
        parameters = self._known.parameters(key, self._facts(key))
        return tuple([values.at(one) for one in parameters])  # made quicker than by a generator

    def _facts(self, key: int) -> StatementFacts:
        facts = self.work.key_facts[key]
        if facts is None:
            raise LookupError(f"key {key} was counted and never identified")
        return facts
