"""Views of the same executions, recognised and counted once.

A run logged as csvlog and as jsonlog, a log and its copy, a client's events and the server's log of
the same calls: rows are told apart by server process, time, duration and statement text. Slices are
cut at whole seconds where there are several inputs, so that all copies of a row are in one slice.
"""

from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import Column, Flags, Rows, starts_of_runs
from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import FIRST_TIME_US, Clock

Columns = dict[str, Column]

_SAME_VIEW = 0.9  # this share of an input's executions shown elsewhere: it is a view of that input
_COVERED_CALLS = (
    0.8  # this share of a client's calls found in the server's log: the log covers them
)
_CLOCK_SKEW_US = 1_000_000  # how far the clocks of client and server may be apart
_SECOND_US = 1_000_000


def process_of(session: str) -> int:
    """The backend's process id that a session's text tells, or a negative number of its own."""
    _start, dot, process = session.partition(".")
    if session.startswith("pid:"):
        digits = session[4:].partition("#")[0]
        return int(digits) if digits.isdigit() else -1
    if dot:
        try:
            return int(process, 16)
        except ValueError:
            return -1
    return -1


class Views:
    """What was found of each input's executions in others, slice by slice.

    `server_rows` counts each source's executions by the server's clock, copies left out.
    """

    def __init__(self, sessions: Sequence[str]) -> None:
        """`sessions` are the recording's session texts; there may be more of them with every slice."""
        self._sessions = sessions
        self._seen: dict[int, int] = {}  # rows by source
        self._shown: dict[tuple[int, int], int] = {}  # rows by (source, the source that shows them)
        self._exact_times: set[int] = set()  # sources that tell more than the second
        self._tells_start: dict[int, bool] = {}  # whether a source's sessions are told by start
        self._renamed: dict[int, int] = {}
        self._server_from_us: int | None = None
        self._clients: dict[
            int, list[int]
        ] = {}  # by source: rows, within the server's, found, covered
        self.server_rows: dict[int, int] = {}

    def merge(self, columns: Columns) -> tuple[Columns, Columns | None]:
        """A slice's executions counted once, and all those measured by clients (None: none)."""
        client = columns["clock"] == Clock.CLIENT
        if not client.any():
            return self._merge_server(columns), None
        clients = _taken(columns, client)
        server = self._merge_server(_taken(columns, ~client))
        rest = _taken(clients, ~self._covered(clients, server))
        counted = {name: np.concatenate([server[name], rest[name]]) for name in server}
        return counted, clients

    def note(self, sources: Sequence[SourceCoverage]) -> None:
        """Fill `same_as` of inputs that show what another shows, when all slices were seen."""
        for source, rows in self._seen.items():
            shown = {other: n for (one, other), n in self._shown.items() if one == source}
            if rows and sum(shown.values()) >= _SAME_VIEW * rows:
                other = min(shown, key=lambda one: (-shown[one], one))
                sources[source].same_as = sources[other].path
        if not self.server_rows:
            return
        most = min(self.server_rows, key=lambda one: (-self.server_rows[one], one))
        for source, (rows, _within, _found, covered) in self._clients.items():
            if covered == rows:
                sources[source].same_as = sources[most].path

    def _merge_server(self, columns: Columns) -> Columns:
        """Union of all server logs: as many copies of an execution as the input that has most of them."""
        source = columns["source"]
        for number, rows in _counted(source).items():
            self._seen[number] = self._seen.get(number, 0) + rows
        if len(self._seen) > 1:
            columns = self._known_sessions(columns)
            if len(source) and source.min() != source.max():
                columns = self._without_copies(columns)
        for number, rows in _counted(columns["source"]).items():
            self.server_rows[number] = self.server_rows.get(number, 0) + rows
        return columns

    def _without_copies(self, columns: Columns) -> Columns:
        rank, exact = self._ranks(columns), self._exact(columns)
        # Rotated files hardly overlap, and what no other can show is not looked for.
        near = np.flatnonzero(_where_others_are(columns["source"], columns["end_us"]))
        some = _taken(columns, near)
        ranks = rank[some["source"]]
        first = _firsts(ranks, self._marks(some, exact=exact, texts=True))
        self._note_copies(some, first)
        views = [
            pair for pair, rows in self._shown.items() if rows >= _SAME_VIEW * self._seen[pair[0]]
        ]
        if views:
            self._find_other_texts(some, ranks, first, views, exact=exact)
        kept = np.ones(len(columns["source"]), dtype=bool)
        kept[near] = first == np.arange(len(first))
        return self._known_sessions(columns if kept.all() else _taken(columns, kept))

    def _find_other_texts(
        self,
        columns: Columns,
        rank: Rows,
        first: Rows,
        views: Sequence[tuple[int, int]],
        *,
        exact: bool,
    ) -> None:
        """Add to `first` the copies whose texts differ, in pairs of inputs that are `views`.

        syslog writes a TAB as the text "#011" would be written, and may cut a long statement.
        """
        source, rows = columns["source"], np.arange(len(first))
        alone = first == rows
        alone[first[~alone]] = False
        left = np.flatnonzero(alone)
        some = _taken(columns, alone)
        found = left[_firsts(rank[left], self._marks(some, exact=exact, texts=False))]
        for one, other in views:
            same = (source[left] == one) & (source[found] == other)
            first[left[same]] = found[same]
        self._note_copies(columns, np.where(alone, first, rows))

    def _note_copies(self, columns: Columns, first: Rows) -> None:
        """Count what is shown elsewhere; rows that one view alone has join the other's session."""
        source, session = columns["source"], columns["session"]
        here = np.flatnonzero(first != np.arange(len(first)))
        there = first[here]
        pairs, counts = np.unique(
            np.stack([source[here], source[there]]), axis=1, return_counts=True
        )
        for one, other, rows in zip(*pairs.tolist(), counts.tolist(), strict=True):
            self._shown[one, other] = self._shown.get((one, other), 0) + rows
        names = np.unique(np.stack([session[here], session[there]]), axis=1)
        self._renamed |= {old: new for old, new in zip(*names.tolist(), strict=True) if old != new}

    def _known_sessions(self, columns: Columns) -> Columns:
        """Sessions by the name that the richest view has for them."""
        session = columns["session"]
        low, high = (int(session.min()), int(session.max())) if len(session) else (0, -1)
        renamed = {old: new for old, new in self._renamed.items() if low <= old <= high}
        if not renamed:
            return columns
        names = np.arange(high + 1)
        names[list(renamed)] = list(renamed.values())
        return {**columns, "session": names[session].astype(session.dtype)}

    def _ranks(self, columns: Columns) -> Rows:
        """By source, the richest view first: one that tells sessions by their start, then in order."""
        source = columns["source"]
        for number in _counted(source):
            if number not in self._tells_start:
                first = int(columns["session"][np.argmax(source == number)])
                self._tells_start[number] = not self._sessions[first].startswith("pid:")
        ordered = sorted(self._tells_start, key=lambda one: (not self._tells_start[one], one))
        ranks = np.zeros(max(ordered) + 1, dtype=np.int64)
        ranks[ordered] = np.arange(len(ordered))
        return ranks

    def _exact(self, columns: Columns) -> bool:
        """Whether all sources of the rows tell milliseconds."""
        source, end = columns["source"], columns["end_us"]
        sources = _counted(source)
        for number in sources:
            if number not in self._exact_times and (end[source == number] % _SECOND_US).any():
                self._exact_times.add(number)
        return all(number in self._exact_times for number in sources)

    def _marks(self, columns: Columns, *, exact: bool, texts: bool) -> Column:
        """A number for each row by which copies of one execution know each other (64-bit hash).

        By the millisecond if all sources are `exact`, else by the second; without `texts` whatever the statement.
        """
        numbers, inverse = np.unique(columns["session"], return_inverse=True)
        process = np.array(
            [process_of(self._sessions[one]) for one in numbers.tolist()], dtype=np.int64
        )
        mark = (columns["end_us"] // (1000 if exact else _SECOND_US)).astype(np.uint64)
        micros = np.rint(columns["duration_ms"] * 1000).astype(np.int64)
        parts = [process[inverse], micros]
        for part in [*parts, columns["key"]] if texts else parts:
            mark = _mixed(mark) + part.astype(np.int64).astype(np.uint64)
        return _mixed(mark)

    def _covered(self, client: Columns, server: Columns) -> Flags:
        """Which client rows are calls whose executions the server's log shows."""
        covered = np.zeros(len(client["source"]), dtype=bool)
        if len(server["end_us"]):
            earliest = int(server["end_us"].min())
            known = self._server_from_us
            self._server_from_us = earliest if known is None else min(known, earliest)
        for number in _counted(client["source"]):
            mine = np.flatnonzero(client["source"] == number)
            counts = self._clients.setdefault(number, [0, 0, 0, 0])
            counts[0] += len(mine)
            if self._server_from_us is not None and len(server["end_us"]):
                within = mine[self._during_server(client, mine, server)]
                if len(within) and self._calls_found(client, within, server, counts):
                    covered[within] = True
                    counts[3] += len(within)
        return covered

    def _during_server(self, client: Columns, mine: Rows, server: Columns) -> Flags:
        low = (self._server_from_us or 0) - _CLOCK_SKEW_US
        high = int(server["end_us"].max()) + _CLOCK_SKEW_US
        start = client["start_us"][mine]
        flags: Flags = (client["end_us"][mine] >= low) & (start <= high)
        return flags | (start < FIRST_TIME_US)  # a log without times may be of any time

    def _calls_found(
        self, client: Columns, within: Rows, server: Columns, counts: list[int]
    ) -> bool:
        """Whether enough of a client's calls, in all slices so far, are in the server's log."""
        start = client["start_us"][within].min() - _CLOCK_SKEW_US
        end = client["end_us"][within].max() + _CLOCK_SKEW_US
        near = (server["end_us"] >= start) & (server["end_us"] <= end)
        if start < FIRST_TIME_US:
            near[:] = True
        size = int(max(client["key"].max(), server["key"].max())) + 1
        seen = np.bincount(server["key"][near], minlength=size)
        called = np.bincount(client["key"][within], minlength=size)
        counts[1] += len(within)
        counts[2] += int(np.minimum(called, seen).sum())
        return counts[2] >= _COVERED_CALLS * counts[1]


def _taken(columns: Columns, rows: Flags | Rows) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def _counted(values: Column) -> dict[int, int]:
    if len(values) and (values == values[0]).all():  # nearly always
        return {int(values[0]): len(values)}
    counts = np.bincount(values)
    return {number: count for number, count in enumerate(counts.tolist()) if count}


def _where_others_are(source: Column, end_us: Rows) -> Flags:
    """Which rows ended in a second from the first to the last one of any other source."""
    second = end_us // _SECOND_US
    found = np.zeros(len(source), dtype=bool)
    for number in _counted(source):
        theirs = second[source == number]
        found |= (source != number) & (second >= theirs.min()) & (second <= theirs.max())
    return found


def _firsts(rank: Rows, marks: Column) -> Rows:
    """For each row the row that shows the same execution: its own, or one of a source before it.

    Copies within one source stay apart: the n-th of each source is the same execution.
    """
    order = np.lexsort((rank, marks))
    copy = np.empty(len(order), dtype=np.int64)
    copy[order] = _place_in_run(starts_of_runs(marks[order], rank[order]))
    order = np.lexsort((rank, copy, marks))
    new = starts_of_runs(marks[order], copy[order])
    first = np.empty(len(order), dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    return first


def _place_in_run(new: Flags) -> Rows:
    """0, 1, 2 … from each row on that is marked as the first of a run."""
    rows = np.arange(len(new))
    return rows - np.maximum.accumulate(np.where(new, rows, 0))


def _mixed(values: Column) -> Column:
    """SplitMix64: neighbouring numbers become unrelated ones."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Column = values ^ (values >> np.uint64(31))
    return mixed
