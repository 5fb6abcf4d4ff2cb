"""What entries mean, whatever their statements, parameters and bytes contain."""

from collections.abc import Callable
from typing import Any

import pytest

from analyzer.model.executions import Clock, ExecutionChunk
from analyzer.sources.logs.plan_texts import plan_format

Reading = Callable[..., Any]  # into a recording: conftest.Read
Making = Callable[..., str]  # a log from its entries

FAKE = "SELECT 'duration: 12.3 ms  statement: fake'"


def test_a_statement_that_looks_like_a_duration_is_one_execution(
    read_text: Reading, stderr_log: Making
) -> None:
    found = read_text(stderr_log(("LOG", f"duration: 1.500 ms  statement: {FAKE}")))
    assert found.statements == [FAKE]
    assert list(found.executions.duration_ms) == [1.5]


def test_a_message_with_a_duration_inside_is_no_execution(
    read_text: Reading, stderr_log: Making
) -> None:
    found = read_text(
        stderr_log(
            ("LOG", "could not send: duration: 12.3 ms  statement: fake"),
            ("LOG", "duration: 1.000 ms  statement: SELECT 1"),
        )
    )
    assert found.source.executions == 1
    assert found.source.entries == 2


def test_times_and_columns_of_an_execution(read_text: Reading, stderr_log: Making) -> None:
    found = read_text(stderr_log(("LOG", "duration: 20.250 ms  statement: SELECT 1")))
    columns = found.executions
    assert columns.end_us[0] - columns.start_us[0] == 20_250
    assert columns.end_us[0] == 1_795_337_120_123_000
    names = found.recording.names
    assert names.get(columns.user[0]) == "ann"
    assert names.get(columns.database[0]) == "shop"
    assert names.get(columns.application[0]) is None
    assert columns.clock[0] == Clock.SERVER
    assert columns.source[0] == 0
    assert columns.flags[0] == 0
    assert found.source.minimum_ms == 20.25


def test_parse_and_bind_are_phases_and_not_executions(
    read_text: Reading, stderr_log: Making
) -> None:
    found = read_text(
        stderr_log(
            ("LOG", "duration: 0.200 ms  parse <unnamed>: SELECT $1::int"),
            ("LOG", "duration: 0.100 ms  bind <unnamed>: SELECT $1::int"),
            ("DETAIL", "parameters: $1 = 'bound'"),
            ("LOG", "duration: 0.500 ms  execute <unnamed>: SELECT $1::int"),
            ("DETAIL", "Parameters: $1 = 'executed'"),
        )
    )
    assert (found.source.parse, found.source.bind, found.source.executions) == (1, 1, 1)
    assert found.parameters == ["$1 = 'executed'"]
    (totals,) = found.recording.phases.values()
    assert (totals.parses, totals.parse_ms, totals.binds, totals.bind_ms) == (1, 0.2, 1, 0.1)
    assert found.source.minimum_ms == 0.1
    assert found.source.entries == 3


def test_binds_parameters_never_go_to_the_execution_before(
    read_text: Reading, stderr_log: Making
) -> None:
    found = read_text(
        stderr_log(
            ("LOG", "duration: 0.500 ms  execute <unnamed>: SELECT $1::int"),
            ("DETAIL", "parameters: $1 = 'one'"),
            ("LOG", "duration: 0.100 ms  bind <unnamed>: SELECT $1::int"),
            ("DETAIL", "parameters: $1 = 'two'"),
        )
    )
    assert found.parameters == ["$1 = 'one'"]


def test_parameters_may_hold_anything(read_text: Reading, stderr_log: Making) -> None:
    values = "$1 = 'a', $2 = ', $2 = ''\nsecond line\n\tindented', $3 = NULL"
    found = read_text(
        stderr_log(
            ("LOG", "duration: 0.500 ms  execute S_1/C_2: SELECT $1, $2, $3"),
            ("DETAIL", f"parameters: {values}"),
        )
    )
    assert found.parameters == [values]


def test_details_reach_their_statement_across_other_sessions(
    read_text: Reading, stderr_log: Making
) -> None:
    found = read_text(
        stderr_log(
            ("LOG", "duration: 1.000 ms  execute a: SELECT $1", 1),
            ("LOG", "duration: 2.000 ms  execute b: SELECT $1", 2),
            ("DETAIL", "parameters: $1 = 'of one'", 1),
            ("DETAIL", "parameters: $1 = 'of two'", 2),
        )
    )
    assert found.parameters == ["$1 = 'of one'", "$1 = 'of two'"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT $$raw: 'it''s', \n $2 = '$$ FROM t",
        "SELECT $q$ a\n\tb $q$",
        r"SELECT E'it\'s', E'\\'",
        "SELECT 1 -- comment: with colon\n, 2 /* a\nb */",
        "SELECT 'Zoë 東京 😀'",
        "\n  SELECT 1",
        "SELECT 1;\nSELECT 2",
        "",
    ],
)
def test_statements_come_through_unchanged(
    read_text: Reading, stderr_log: Making, statement: str
) -> None:
    found = read_text(stderr_log(("LOG", f"duration: 1.000 ms  statement: {statement}")))
    assert found.statements == [statement]


def test_cursor_fetches_are_executions(read_text: Reading, stderr_log: Making) -> None:
    message = "duration: 1.000 ms  execute fetch from S_1/C_3: SELECT id FROM t"
    assert read_text(stderr_log(("LOG", message))).statements == ["SELECT id FROM t"]


def test_literals_stand_in_for_parameters(read_text: Reading, stderr_log: Making) -> None:
    found = read_text(
        stderr_log(
            ("LOG", "duration: 1.000 ms  statement: SELECT * FROM t WHERE a = 7 AND b = 'x'")
        )
    )
    assert found.parameters == ["7\x1f'x'"]


def test_plans_are_kept_and_are_no_executions(read_text: Reading, stderr_log: Making) -> None:
    plan = '{\n  "Query Text": "SELECT 1",\n  "Plan": {\n    "Node Type": "Result"\n  }\n}'
    found = read_text(
        stderr_log(
            ("LOG", f"duration: 0.034 ms  plan:\n{plan}"),
            ("LOG", "duration: 1.000 ms  statement: SELECT 1"),
        )
    )
    (recorded,) = found.recording.plans
    assert (recorded.text, recorded.format, recorded.duration_ms) == (plan, "json", 0.034)
    assert recorded.session == "pid:77"
    assert found.source.executions == found.source.plans == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[\n {"Plan": {}}]', "json"),
        ("<explain>", "xml"),
        ('Query Text: "SELECT 1"\nPlan: \n  Node Type: "Result"', "yaml"),
        ("Query Text: SELECT 1\nResult  (cost=0.00..0.01 rows=1 width=4)", "text"),
    ],
)
def test_plan_formats_are_told_apart(text: str, name: str) -> None:
    assert plan_format(text) == name


def test_log_duration_is_joined_with_the_statement_before_it(
    read_text: Reading, stderr_log: Making
) -> None:
    found = read_text(
        stderr_log(
            ("LOG", "statement: SELECT 1", 1),
            ("LOG", "statement: SELECT 2, 'b'", 2),
            ("LOG", "duration: 3.000 ms", 1),
            ("LOG", "duration: 4.000 ms", 2),
            ("LOG", "duration: 0.100 ms", 1),
            ("LOG", "execute <unnamed>: SELECT $1", 1),
            ("DETAIL", "parameters: $1 = 'x'", 1),
            ("LOG", "duration: 5.000 ms", 1),
        )
    )
    assert found.statements == ["SELECT 1", "SELECT 2, 'b'", "SELECT $1"]
    assert list(found.executions.duration_ms) == [3.0, 4.0, 5.0]
    assert found.parameters[2] == "$1 = 'x'"
    assert any("1 durations came without their statement" in w for w in found.warnings)


def test_statements_without_durations_are_told(read_text: Reading, stderr_log: Making) -> None:
    found = read_text(stderr_log(("LOG", "statement: SELECT 1"), ("LOG", "statement: SELECT 2")))
    assert found.source.executions == 0
    assert any("2 statements came without a duration" in w for w in found.warnings)


def test_errors_and_server_events_are_counted(read_text: Reading, stderr_log: Making) -> None:
    found = read_text(
        stderr_log(
            ("ERROR", 'relation "nope" does not exist at character 15'),
            ("STATEMENT", "SELECT * FROM nope"),
            ("ERROR", "deadlock detected"),
            ("DETAIL", "Process 1 waits for ShareLock on transaction 5; blocked by process 2."),
            ("FATAL", "password authentication failed"),
            ("LOG", 'temporary file: path "base/pgsql_tmp/pgsql_tmp7.0", size 1048576'),
            ("STATEMENT", "SELECT * FROM big ORDER BY x"),
            ("LOG", "process 7 still waiting for ShareLock on transaction 5 after 1000.1 ms"),
            ("LOG", "process 7 acquired ShareLock on transaction 5 after 2000.1 ms"),
            ("LOG", "checkpoint complete: wrote 3 buffers (0.0%)"),
            ("LOG", 'automatic vacuum of table "a.b.c": index scans: 0\npages: 0 removed'),
            ("LOG", 'automatic analyze of table "a.b.c"'),
            ("LOG", "connection received: host=[local]"),
        )
    )
    assert found.events() == {
        ("error", "42P01"): 1,
        ("error", "40P01"): 1,
        ("error", ""): 1,
        ("deadlock", "40P01"): 1,
        ("temp-file", ""): 1,
        ("lock-wait", "ShareLock"): 1,
        ("checkpoint", ""): 1,
        ("autovacuum", "vacuum"): 1,
        ("autovacuum", "analyze"): 1,
        ("connection", "received"): 1,
    }
    assert (found.source.errors, found.source.events) == (3, 7)
    temporary = found.recording.events[0, "temp-file", ""]
    assert temporary.total_bytes == 1_048_576
    assert temporary.statements is not None
    (key,) = temporary.statements
    assert found.keys.texts[key] == "SELECT * FROM big ORDER BY x"


def test_verbose_messages_carry_their_sqlstate(read_text: Reading, stderr_log: Making) -> None:
    found = read_text(
        stderr_log(
            ("ERROR", "22012: division by zero"),
            ("LOCATION", "int4div, int.c:846"),
            ("LOG", "00000: duration: 1.000 ms  statement: SELECT 1"),
        )
    )
    assert found.events() == {("error", "22012"): 1}
    assert found.statements == ["SELECT 1"]


def test_a_process_id_taken_over_is_another_session(read_text: Reading, stderr_log: Making) -> None:
    execution = ("LOG", "duration: 1.000 ms  statement: SELECT 1")
    found = read_text(
        stderr_log(
            execution,
            ("LOG", "connection received: host=[local]"),
            ("LOG", "connection authorized: user=ann database=shop"),
            execution,
            ("LOG", "disconnection: session time: 0:00:00.170 user=ann database=shop"),
            execution,
        )
    )
    assert found.sessions == ["pid:77", "pid:77#2", "pid:77#3"]


def test_since_and_until_cut_by_the_entrys_time(read_text: Reading) -> None:
    text = "".join(
        f"2026-11-22 08:45:2{n}.000 UTC [7] ann@shop LOG:  duration: 1.000 ms  statement: SELECT {n}\n"
        f"2026-11-22 08:45:2{n}.000 UTC [7] ann@shop DETAIL:  parameters: $1 = '{n}'\n"
        for n in range(5)
    )
    start = 1_795_337_120_000_000
    found = read_text(text, since_us=start + 1_000_000, until_us=start + 3_000_000)
    assert found.parameters == ["$1 = '1'\x1f1", "$1 = '2'\x1f2"]  # literals stand behind
    assert found.source.entries == 5
    nothing = read_text(text, since_us=start + 60_000_000)
    assert nothing.source.executions == 0
    assert any("outside --since and --until" in w for w in nothing.warnings)


def test_the_line_is_the_sessions_where_known_else_the_entrys(
    read_text: Reading, stderr_log: Making
) -> None:
    execution = ("LOG", "duration: 1.000 ms  statement: SELECT 1")
    found = read_text(stderr_log(execution, ("DETAIL", "parameters: x"), execution))
    assert list(found.executions.line) == [1, 2]
    text = (
        "2026-11-22 08:45:20.000 UTC [7] 6b02.7 {} LOG:  duration: 1.000 ms  statement: SELECT 1\n"
    )
    numbered = read_text(text.format(41) + text.format(43), log_line_prefix="%m [%p] %c %l ")
    assert list(numbered.executions.line) == [41, 43]
    assert numbered.sessions == ["6b02.7", "6b02.7"]


def test_an_entry_cut_by_the_end_of_the_file_is_flagged(
    read_text: Reading, stderr_log: Making
) -> None:
    whole = stderr_log(("LOG", "duration: 1.000 ms  statement: SELECT 1 FROM a_long_name"))
    found = read_text(whole + whole[:-9])
    assert found.source.truncated == 1
    assert list(found.executions.flags) == [0, ExecutionChunk.FLAG_TRUNCATED]
    assert found.source.bytes == 2 * len(whole) - 9
