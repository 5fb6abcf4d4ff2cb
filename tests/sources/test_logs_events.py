"""Server events of a real PostgreSQL in all three formats, held against other accounts of them."""

import csv
import io
import json
import lzma
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.model.event import Event, Tallies, Tally

Found = Any  # conftest.Read
Reading = Callable[..., Found]
Making = Callable[..., str]
FORMATS = ("log", "csv", "json")
KNOWN_BY_CODE_ONLY = {"P0001", "ZZ123"}  # texts of the application's own


def events_of(found: Found) -> dict[tuple[str, str], Event]:
    return {(kind, code): event for (_, kind, code), event in found.recording.events.items()}


def sums(event: Event) -> dict[str, float]:
    return {name: round(measure.total, 3) for name, measure in event.measures.items()}


def counts(tallies: "Tallies[Any]") -> dict[Any, int]:
    return {name: tally.count for name, tally in tallies.kept.items()}


def by_text(found: Found, event: Event) -> dict[str, Tally]:
    assert event.statements is not None
    return {found.keys.texts[key]: tally for key, tally in event.statements.kept.items()}


@pytest.fixture
def expected(data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((data / "logs" / "events" / "expected.json").read_text())
    return loaded


@pytest.fixture(params=FORMATS)
def captured(request: pytest.FixtureRequest, data: Path, read: Reading) -> Found:
    return read(data / "logs" / "events" / f"events.{request.param}.xz")


def test_temporary_files_are_of_their_statements(captured: Found, expected: dict[str, Any]) -> None:
    event = events_of(captured)["temp-file", ""]
    assert event.count == expected["temp_files"]["count"]
    assert event.total_bytes == expected["temp_files"]["bytes"]
    texts = by_text(captured, event)
    assert sum(tally.count for tally in texts.values()) == event.count
    # Written behind its execution, without a STATEMENT, in the extended protocol.
    parameterised = next(tally for text, tally in texts.items() if "$1::int" in text)
    assert parameterised.count == 4
    assert parameterised.measures["temp_bytes"].total == 483_328 + 140_000 + 1_343_488 + 420_000


def test_a_wait_is_one_however_it_is_told(captured: Found, expected: dict[str, Any]) -> None:
    events = events_of(captured)
    table, rows = events["lock-wait", "AccessShareLock"], events["lock-wait", "ShareLock"]
    assert (table.count, rows.count) == (1, 4)
    assert sums(table)["waited_ms"] == expected["acquired_ms"]["AccessShareLock"]
    # Two of the four were never acquired, one was a deadlock: what was told of those is 50 ms each.
    unacquired = 50.195 + 50.195 + 50.184
    assert sums(rows)["waited_ms"] == round(expected["acquired_ms"]["ShareLock"] + unacquired, 3)
    assert rows.measures["waited_ms"].largest == expected["acquired_ms"]["ShareLock"]
    assert counts(rows.parts["object"]) == {"transaction": 4}
    assert counts(table.parts["object"]) == {"relation 16397 of database 16388": 1}
    waited = by_text(captured, rows)["UPDATE item SET n = n + $1::int WHERE id = $2::int"]
    assert (waited.count, waited.measures["waited_ms"].largest) == (3, 299.509)


def test_a_deadlock_is_of_both_sides_statements(captured: Found) -> None:
    (tally,) = by_text(captured, events_of(captured)["deadlock", "40P01"]).values()
    # One key: both sides update item by its id. The second side was told of by DETAIL only.
    assert (tally.count, tally.measures["survived"].count) == (2, 1)


def test_checkpoints_as_pgbadger_sums_them(captured: Found, expected: dict[str, Any]) -> None:
    events = events_of(captured)
    event, truth = events["checkpoint", ""], expected["checkpoints"]
    figures = sums(event)
    for name in ("write_ms", "sync_ms", "total_ms", "buffers", "files_removed", "files_recycled"):
        assert figures[name] == truth[name], name
    assert figures["distance_bytes"] == truth["distance_kb"] * 1024
    assert figures["estimate_bytes"] == truth["estimate_kb"] * 1024
    assert counts(event.parts["cause"]) == truth["causes"]
    assert events["checkpoint", "too-frequent"].count == truth["too_frequent"]


def test_connections_as_pgbadger_counts_them(captured: Found, expected: dict[str, Any]) -> None:
    events, truth = events_of(captured), expected["connections"]
    for code in ("received", "authorized", "disconnected"):
        assert events["connection", code].count == truth[code]
    assert sums(events["connection", "disconnected"])["session_ms"] == truth["session_ms"]
    parts = events["connection", "authorized"].parts
    assert (counts(parts["user"]), counts(parts["database"])) == (
        truth["users"],
        truth["databases"],
    )
    assert events["connection", "refused"].count == events["error", "53300"].count == 2


def test_autovacuum_by_table(captured: Found, expected: dict[str, Any]) -> None:
    events, truth = events_of(captured), expected["autovacuum"]
    vacuum, analyze = events["autovacuum", "vacuum"], events["autovacuum", "analyze"]
    assert (vacuum.count, analyze.count) == (truth["vacuum"], truth["analyze"])
    item = vacuum.parts["table"].kept["shop.public.item"]
    assert item.measures["wal_bytes"].total == truth["item_wal_bytes"]
    assert item.measures["tuples_removed"].total == 1 + 2003
    assert analyze.parts["table"].kept["shop.public.item"].count == truth["item_analyzes"]
    assert counts(vacuum.parts["cause"]) == {"aggressive": 4}


def test_a_crash_and_what_follows(captured: Found) -> None:
    codes = {code: e.count for (kind, code), e in events_of(captured).items() if kind == "server"}
    assert codes == {
        "start": 1, "ready": 2, "crash": 1, "restart-after-crash": 1, "recovery": 2, "reload": 1,
        "parameter": 1, "stop-request": 1, "stop": 1, "fatal": 2,
    }  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_the_native_reader_tells_the_same(
    name: str, data: Path, read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = data / "logs" / "events" / f"events.{name}.xz"
    native = events_of(read(path))
    monkeypatch.setenv("PG95_PURE_PYTHON", "1")
    assert events_of(read(path)) == native


def truth_of_errors(data: Path) -> list[tuple[str, str]]:
    """Code and message of every failure in the jsonlog, read without pg95."""
    raw = lzma.decompress((data / "logs" / "events" / "events.json.xz").read_bytes())
    records = [json.loads(line) for line in raw.decode().splitlines()]
    failures = [r for r in records if r["error_severity"] in ("ERROR", "FATAL", "PANIC")]
    return [(r["state_code"], r["message"]) for r in failures]


def test_errors_have_the_servers_codes(captured: Found, data: Path) -> None:
    truth = Counter(code for code, _ in truth_of_errors(data))
    found = Counter(
        {code: e.count for (kind, code), e in events_of(captured).items() if kind == "error"}
    )
    assert found.total() == truth.total() == captured.source.errors == 158
    if captured.source.format == "stderr":  # its prefix has no SQLSTATE: told by the texts
        # SET ROLE to an unknown role has another code than DROP ROLE, and the same text.
        told = truth - Counter(KNOWN_BY_CODE_ONLY) - Counter({"22023": 1})
        assert found == told + Counter({"": 2, "42704": 1})
    else:
        assert found == truth


def test_derived_codes_say_so(data: Path, read: Reading) -> None:
    for name, derived in (("log", 156), ("csv", 0)):
        events = events_of(read(data / "logs" / "events" / f"events.{name}.xz"))
        assert sum(event.derived for event in events.values()) == derived


def test_a_message_is_kept_without_what_it_quotes(captured: Found) -> None:
    texts = [
        text
        for (kind, _), event in events_of(captured).items()
        if kind == "error" and "message" in event.parts
        for text in event.parts["message"]
    ]
    assert 'duplicate key value violates unique constraint "item_pkey"' in texts
    assert "invalid input syntax for type …" in texts
    assert not any("secret" in text for text in texts)


def test_cancelled_statements_with_what_they_took_at_least(captured: Found) -> None:
    events = {code: e for (kind, code), e in events_of(captured).items() if kind == "cancelled"}
    assert {code: event.count for code, event in events.items()} == {
        "statement-timeout": 4, "lock-timeout": 1, "user-request": 1,
        "idle-in-transaction-timeout": 1, "idle-session-timeout": 1, "administrator": 1,
    }  # fmt: skip
    timeouts = by_text(captured, events["statement-timeout"])
    # 120 ms, once after its logged text and once after nothing that tells when it began.
    slept = timeouts["SELECT pg_sleep(5)"]
    assert (slept.count, slept.measures["at_least_ms"].count) == (2, 1)
    assert 115 <= slept.measures["at_least_ms"].largest <= 121
    bound = timeouts["SELECT pg_sleep($1::float8)"].measures["at_least_ms"]
    assert 115 <= bound.largest <= 121
    # 200 ms in a lock wait; 150 ms until its lock_timeout; cancelled after 200 ms.
    waited = timeouts["UPDATE item SET n = n + $1::int WHERE id = $2::int"]
    assert 195 <= waited.measures["at_least_ms"].largest <= 201
    assert 145 <= events["lock-timeout"].measures["at_least_ms"].largest <= 151
    assert 195 <= events["user-request"].measures["at_least_ms"].largest <= 206


def test_no_bound_where_short_executions_are_not_logged(
    read_text: Reading, stderr_log: Making
) -> None:
    """A bind that was logged for being slow may be of an earlier call."""
    entries = [
        ("LOG", "duration: 250.000 ms  bind <unnamed>: SELECT pg_sleep($1)"),
        ("ERROR", "canceling statement due to statement timeout"),
        ("STATEMENT", "SELECT pg_sleep($1)"),
    ]
    event = events_of(read_text(stderr_log(*entries)))["cancelled", "statement-timeout"]
    assert event.count == 1
    assert not event.measures


def test_no_bound_from_a_bind_whose_rows_were_fetched(
    read_text: Reading, stderr_log: Making
) -> None:
    """Between two fetches of a portal the client may have done anything."""
    statement = "SELECT * FROM a WHERE b > $1"
    first = stderr_log(
        ("LOG", f"duration: 0.100 ms  bind <unnamed>: {statement}"),
        ("LOG", f"duration: 0.200 ms  execute fetch from <unnamed>: {statement}"),
    )
    second = stderr_log(
        ("ERROR", "canceling statement due to user request"), ("STATEMENT", statement)
    )
    found = read_text(first + second.replace(":20.123 ", ":29.623 "))
    assert not events_of(found)["cancelled", "user-request"].measures


def test_no_bound_from_a_bind_whose_execution_ended(read_text: Reading, stderr_log: Making) -> None:
    """What is cancelled behind a duration alone is a later call than the one that was bound."""
    statement = "SELECT * FROM a WHERE b > $1"
    first = stderr_log(
        ("LOG", f"duration: 0.100 ms  bind <unnamed>: {statement}"),
        ("LOG", f"duration: 0.200 ms  execute <unnamed>: {statement}"),
        ("LOG", "duration: 0.300 ms"),
    )
    second = stderr_log(
        ("ERROR", "canceling statement due to user request"), ("STATEMENT", statement)
    )
    found = read_text(first + second.replace(":20.123 ", ":29.623 "))
    assert not events_of(found)["cancelled", "user-request"].measures


def test_codes_and_texts_without_end_are_bounded(read_text: Reading, stderr_log: Making) -> None:
    """A log may hold any number of codes, tables and messages; what is kept of them is bounded."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    entries = [
        (
            "ERROR",
            f"{letters[n % 26]}{letters[n // 26 % 26]}{n % 1000:03}: failed {'x' * (n % 150)}",
        )
        for n in range(2_000)
    ]
    entries += [("LOG", f'automatic analyze of table "a.b.{n}"') for n in range(3_000)]
    entries += [("ERROR", f"{letters[n % 26]}{'y' * (n % 130)} is bad") for n in range(4_000)]
    events = events_of(read_text(stderr_log(*entries)))
    errors = [event for (kind, _), event in events.items() if kind == "error"]
    assert len(errors) <= 302
    assert sum(event.count for event in errors) == 6_000
    texts = events["error", ""].parts["text"]
    assert len(texts) <= 100
    assert sum(counts(texts).values()) + texts.other.count == 4_000
    tables = events["autovacuum", "analyze"].parts["table"]
    assert len(tables) <= 1_000
    assert sum(counts(tables).values()) + tables.other.count == 3_000


def test_a_lock_wait_tells_what_a_cancelled_statement_took(
    read_text: Reading, stderr_log: Making
) -> None:
    """1,000.1 ms waited when that was told, 1.5 s before the statement was cancelled."""
    entries = [
        ("LOG", "process 77 still waiting for ShareLock on transaction 5 after 1000.100 ms"),
        ("STATEMENT", "UPDATE a SET b = 2 WHERE c = 3"),
        ("ERROR", "canceling statement due to lock timeout"),
        ("STATEMENT", "UPDATE a SET b = 2 WHERE c = 3"),
        ("ERROR", "canceling statement due to lock timeout"),
        ("STATEMENT", "UPDATE a SET b = 2 WHERE c = 3"),
    ]
    first, second, third = (stderr_log(*entries[n : n + 2]) for n in (0, 2, 4))
    log = first + (second + third).replace(":20.123 ", ":21.623 ")
    event = events_of(read_text(log))["cancelled", "lock-timeout"]
    assert event.count == 2, "the second time says nothing of a wait"
    assert event.measures["at_least_ms"].count == 1
    assert event.measures["at_least_ms"].total == pytest.approx(1000.1 + 1500 - 1)


def test_a_file_at_the_end_of_a_log_is_of_the_execution_before(
    read_text: Reading, stderr_log: Making
) -> None:
    found = read_text(
        stderr_log(
            ("LOG", "duration: 0.200 ms  execute <unnamed>: SELECT * FROM big ORDER BY x"),
            ("LOG", 'temporary file: path "base/pgsql_tmp/pgsql_tmp77.0", size 4096'),
        )
    )
    (text,) = by_text(found, events_of(found)["temp-file", ""])
    assert text == "SELECT * FROM big ORDER BY x"


def test_the_same_csvlog_by_another_parser(data: Path) -> None:
    """The capture's own account of itself: pg95 has no part in it."""
    raw = lzma.decompress((data / "logs" / "events" / "events.csv.xz").read_bytes())
    messages = [row[13] for row in csv.reader(io.StringIO(raw.decode()))]
    assert sum(m.startswith("temporary file: ") for m in messages) == 8
    assert sum("still waiting for" in m or "detected deadlock while" in m for m in messages) == 5
