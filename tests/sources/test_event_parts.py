"""Events add up: parts of a log read side by side give, folded, what the whole gives."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.coverage import SourceCoverage
from analyzer.model.event import Hours, Tallies, Tally
from analyzer.model.recording import Recording
from analyzer.sources.logs.events import EventReader
from analyzer.sources.logs.sessions import Session
from analyzer.sql.keys import StatementKeyTable


def test_hours_are_bounded_and_their_sum_stays() -> None:
    hours = Hours()
    for hour in range(0, 100_000, 7):
        hours.add(hour * 3_600_000_000)
    assert len(hours.counts) <= 24 * 62
    assert sum(hours.counts.values()) == len(range(0, 100_000, 7))
    assert all(hour % hours.step == 0 for hour in hours.counts)


def test_merged_hours_have_the_wider_step() -> None:
    fine, coarse = Hours(), Hours()
    for hour in range(1, 12):
        fine.add(hour * 3_600_000_000)
    for hour in range(3_000):
        coarse.add(hour * 3_600_000_000)
    fine.merge(coarse)
    assert fine.step == coarse.step > 1
    assert sum(fine.counts.values()) == 11 + 3_000
    assert all(hour % fine.step == 0 for hour in fine.counts)


# What a log may hold, as (process, severity, message, statement).
MESSAGES = (
    "process {pid} still waiting for ShareLock on transaction 5 after 1000.000 ms",
    "process {pid} acquired ShareLock on transaction 5 after 1500.000 ms",
    "process {pid} acquired ShareLock on transaction 5 after 2500.000 ms",
    "process {pid} avoided deadlock for ShareLock on transaction 5 by rearranging queue order after 1000.000 ms",
    "process {pid} still waiting for ExclusiveLock on relation 1 of database 2 after 3000.000 ms",
    "process {pid} acquired ExclusiveLock on relation 1 of database 2 after 4000.000 ms",
    'temporary file: path "base/pgsql_tmp/pgsql_tmp7.0", size 8192',
    "checkpoint starting: time",
    "checkpoint complete: wrote 3 buffers (0.0%)",
    'automatic analyze of table "a.b.c"',
    "connection authorized: user=ann database=shop",
)
FAILED = ("division by zero", "canceling statement due to user request", "deadlock detected")
Entry = tuple[int, int, str, str, str | None]  # seconds, process, severity, message, statement


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    made = []
    second = 0
    for _ in range(draw(st.integers(0, 25))):
        second += draw(st.sampled_from([0, 0, 1, 30, 4_000]))
        process = draw(st.integers(1, 3))
        failed = draw(st.integers(0, 4)) == 0
        message = draw(st.sampled_from(FAILED if failed else MESSAGES))
        statement = draw(st.sampled_from([None, "SELECT 1", "UPDATE a SET b = 2 WHERE c = 3"]))
        severity = "ERROR" if failed else "LOG"
        made.append((second, process, severity, message.format(pid=process), statement))
    return made


def reader_of(part: Sequence[Entry]) -> tuple[EventReader, Recording]:
    recording = Recording(keys=StatementKeyTable())
    reader = EventReader(recording, SourceCoverage("x.log"), 0)
    sessions = {n: Session(f"pid:{n}", n, renewable=False) for n in range(1, 4)}
    for second, process, severity, message, statement in part:
        session = sessions[process]
        session.event = None
        reader.entry(
            1_800_000_000_000_000 + second * 1_000_000 + 123_000, session, severity, "", message,
            after_execution=False, complete=True,
        )  # fmt: skip
        if statement is not None:
            reader.statement(session, statement)
    return reader, recording


Part = tuple[EventReader, Recording]


def fold(first: Part, second: Part) -> Part:
    theirs, mine = second[1].keys.texts, first[1].keys
    first[0].follow(second[0], lambda key: mine.add(theirs[key])[0])
    return first


def told(part: Part) -> dict[str, Any]:
    """Everything that was counted, with statements by their texts."""
    part[0].close()
    texts = part[1].keys.texts

    def plain(tally: Tally) -> dict[str, Any]:
        of = tally.statements
        return {
            "count": tally.count,
            "span": (tally.first_us, tally.last_us),
            "measures": {n: (m.count, m.total, m.largest) for n, m in tally.measures.items()},
            "statements": {texts[k]: plain(t) for k, t in of.kept.items()} if of else {},
            "parts": {
                what: {name: plain(one) for name, one in tallies.kept.items()}
                for what, tallies in tally.parts.items()
            },
        }

    return {
        f"{kind} {code}": {**plain(event), "hours": event.hours.counts, "derived": event.derived}
        for (_, kind, code), event in part[1].events.items()
    }


@given(entries(), st.integers(0, 25), st.integers(0, 25))
def test_parts_read_side_by_side_add_up(log: list[Entry], one: int, two: int) -> None:
    low, high = sorted((one, two))
    cut = [log[:low], log[low:high], log[high:]]
    a, b, c = (reader_of(part) for part in cut)
    left = told(fold(fold(a, b), c))
    a, b, c = (reader_of(part) for part in cut)
    right = told(fold(a, fold(b, c)))
    assert left == right
    # A cancelled statement's lock wait may lie in the part before: its time is not told then.
    whole = told(reader_of(log))
    for found in (left, whole):
        for name in [name for name in found if name.startswith("cancelled")]:
            del found[name]
    assert left == whole


WAITS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(1, 2), st.sampled_from(MESSAGES[:6]), st.booleans()),
    max_size=8,
)


@settings(max_examples=500)
@given(WAITS, st.integers(0, 8), st.integers(0, 8))
def test_a_wait_over_several_parts_is_one(
    waits: list[tuple[int, int, str, bool]], one: int, two: int
) -> None:
    log: list[Entry] = [
        (second, pid, "LOG", message.format(pid=pid), "SELECT 1" if named else None)
        for second, pid, message, named in waits
    ]
    low, high = sorted((one, two))
    whole = told(reader_of(log))
    a, b, c = (reader_of(part) for part in (log[:low], log[low:high], log[high:]))
    assert told(fold(fold(a, b), c)) == whole
    a, b, c = (reader_of(part) for part in (log[:low], log[low:high], log[high:]))
    assert told(fold(a, fold(b, c))) == whole


def test_a_wait_told_of_in_three_parts() -> None:
    log: list[Entry] = [
        (0, 1, "LOG", MESSAGES[3].format(pid=1), "SELECT 1"),
        (0, 1, "LOG", MESSAGES[0].format(pid=1), "SELECT 1"),
        (1, 1, "LOG", MESSAGES[2].format(pid=1), "SELECT 1"),
    ]
    a, b, c = (reader_of([entry]) for entry in log)
    event = told(fold(fold(a, b), c))["lock-wait ShareLock"]
    assert event["measures"] == {"waited_ms": (1, 2500.0, 2500.0)}
    assert event["statements"]["SELECT 1"]["count"] == 1


def test_a_file_at_the_end_of_a_part_is_of_its_execution() -> None:
    recording = Recording(keys=StatementKeyTable())
    reader = EventReader(recording, SourceCoverage("x.log"), 0)
    session = Session("pid:1", 1, renewable=False)
    session.key = recording.keys.add("SELECT 1")[0]
    file = 'temporary file: path "base/pgsql_tmp/pgsql_tmp7.0", size 8192'
    reader.entry(0, session, "LOG", "", file, after_execution=True, complete=True)
    event = told(fold(reader_of([]), (reader, recording)))["temp-file "]
    assert event["statements"]["SELECT 1"]["measures"] == {"temp_bytes": (1, 8192.0, 8192)}


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), min_size=20, max_size=80),
    st.integers(0, 80),
)
def test_sums_stay_whatever_is_kept(rows: list[tuple[int, int]], cut: int) -> None:
    def tallies(part: list[tuple[int, int]]) -> "Tallies[str]":
        made: Tallies[str] = Tallies(limit=3)
        for name, size in part:
            made.at(str(name)).add(name, {"temp_bytes": size})
        return made

    whole, first, second = tallies(rows), tallies(rows[:cut]), tallies(rows[cut:])
    first.merge(second, str, None)
    for found in (whole, first):
        every = [*found.kept.values(), found.other]
        assert len(found) <= 6
        assert sum(tally.count for tally in every) == len(rows)
        measures = [tally.measures["temp_bytes"] for tally in every if tally.measures]
        assert sum(measure.total for measure in measures) == sum(size for _, size in rows)
