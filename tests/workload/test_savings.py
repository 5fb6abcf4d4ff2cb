"""What fixes save, on logs whose figures are worked out by hand."""

import json
from pathlib import Path

import pytest

from analyzer.pipeline import Options, Result, run
from analyzer.report.document import dump, load
from analyzer.report.views import RENDERERS
from analyzer.workload import savings, simulation

PARENT = "SELECT id, name FROM authors ORDER BY id LIMIT 20"
CHILD = "SELECT title FROM books WHERE author_id = {}"
Line = tuple[float, float, str, str]  # second of the end, ms, trace tag, statement


def tag(request: int, route: str) -> str:
    return f"/*traceparent='00-{request + 1:032x}-{1:016x}-01',route='{route}'*/"


def loop(
    request: int, second: float, children: int, each_ms: float, gap_ms: float = 2.0
) -> list[Line]:
    """A request of a route with a loop: a parent of 1 ms, children of `each_ms`."""
    comment = tag(request, "%2Flist")
    lines: list[Line] = [(second, 1.0, comment, PARENT)]
    for n in range(children):
        at = second + (n + 1) * (each_ms + gap_ms) / 1000
        lines.append((at, each_ms, comment, CHILD.format(100 * request + n)))
    return lines


def plain(request: int, second: float, ms: float) -> list[Line]:
    return [(second, ms, tag(request, "%2Fplain"), "SELECT day FROM weather WHERE day = 7")]


def write(path: Path, lines: list[Line]) -> Path:
    rows = []
    for number, (second, ms, comment, text) in enumerate(sorted(lines), 1):
        hours, rest = divmod(second, 3600)
        at = f"2026-11-22 {int(hours):02d}:{int(rest) // 60:02d}:{rest % 60:06.3f} UTC"
        rows.append(
            f'{at},"app","app",1,"127.0.0.1:1",6b02ada0.1,{number},"SELECT",2026-11-22 00:00:00 UTC,3/1,0,LOG,00000,'
            f'"duration: {ms:.3f} ms  statement: {text} {comment}",,,,,,,,,"web","client backend",,0\n'
        )  # fmt: skip
    path.write_text("".join(rows))
    return path


@pytest.fixture
def result(tmp_path: Path) -> Result:
    """Twenty requests of /list with ten children of 2 ms each, sixty of /plain with 5 ms."""
    lines = [line for n in range(20) for line in loop(n, 1.0 + n, 10, 2.0)]
    lines += [line for n in range(60) for line in plain(100 + n, 100.0 + n, 5.0)]
    return run(Options(log_min_duration_ms=0, inputs=[str(write(tmp_path / "a.csv", lines))]))


def test_hit_requests_are_taken_once_for_all_routes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        (second, ms, comment.replace("list", f"list{n % 5}"), text)
        for n in range(20)
        for second, ms, comment, text in loop(n, 1.0 + n, 10, 2.0)
    ]
    path = str(write(tmp_path / "a.csv", lines))
    taken = []
    for name in ("changes", "routes_hit"):
        given = getattr(savings.SavingFigures, name)
        monkeypatch.setattr(
            savings.SavingFigures,
            name,
            lambda self, name=name, given=given: taken.append(name) or given(self),
        )
    found = run(Options(log_min_duration_ms=0, inputs=[path]))
    assert len(found.document["savings"]["routes"]) == 5
    assert sorted(taken) == ["changes", "routes_hit"]


def test_requests_before_and_after(result: Result) -> None:
    part = result.document["savings"]
    (route,) = part["routes"]
    batch = 10 * 2.0 - (1 - savings.MARGINAL) * 9 * 2.0
    assert (route["route"], route["count"], route["hit"]) == ("/list", 20, 20)
    assert (route["round_trips_before"], route["round_trips_after"]) == (20 * 11, 20 * 2)
    assert route["before_ms"] == pytest.approx(20 * 21)
    assert route["after_ms"] == pytest.approx(20 * (1 + batch))
    assert route["p95_before_ms"] == pytest.approx(21, rel=0.012)
    assert route["p95_after_ms"] == pytest.approx(1 + batch, rel=0.012)
    every = part["requests"]
    assert (every["count"], every["hit"]) == (80, 20)
    assert every["p95_before_ms"] == 21
    assert every["p95_after_ms"] == pytest.approx(1 + batch, rel=0.025)
    assert every["round_trips_before"] == 20 * 11 + 60
    # The P95 of statements rises, as the batch takes longer than any of the loop's executions.
    assert part["statements"]["p95_before_ms"] == 5
    assert part["statements"]["p95_after_ms"] == pytest.approx(batch, rel=0.025)


def test_a_findings_saving_is_round_trips_and_server_time(result: Result) -> None:
    (finding,) = result.document["findings"]
    impact, cost = finding["impact"], result.document["savings"]["round_trip"]
    server = 20 * (1 - savings.MARGINAL) * 9 * 2.0
    assert (impact["round_trips"], impact["occurrences"]) == (20 * 9, 20)
    assert impact["server_ms"] == pytest.approx(server)
    assert cost["method"] == "estimated"
    assert cost["ms"] == pytest.approx(2.0, rel=0.15)  # the log rounds times to milliseconds
    assert impact["wall_ms"] == pytest.approx(server + 180 * cost["ms"], rel=1e-3)
    assert impact["saving_ms"] == impact["wall_ms"]
    assert impact["per_occurrence"]["round_trips"] == 9
    assert impact["per_day"] is None
    assert "too short" in impact["note"]


def test_a_round_trip_that_is_given(result: Result, tmp_path: Path) -> None:
    given = run(Options(log_min_duration_ms=0, inputs=[str(tmp_path / "a.csv")], rtt_ms=10.0))
    (finding,) = given.document["findings"]
    assert given.document["savings"]["round_trip"]["ms"] == 10
    assert finding["impact"]["wall_ms"] == pytest.approx(
        finding["impact"]["server_ms"] + 180 * 10.0
    )
    assert result.document["findings"][0]["key"] == finding["key"]


def test_a_day_is_told_from_six_hours_on(tmp_path: Path) -> None:
    lines = [line for n in range(20) for line in loop(n, 1.0 + n * 1700, 10, 2.0)]
    (finding,) = run(
        Options(log_min_duration_ms=0, inputs=[str(write(tmp_path / "a.csv", lines))])
    ).document["findings"]
    hours = 19 * 1700 / 3600
    assert finding["impact"]["per_day"]["round_trips"] == pytest.approx(180 * 24 / hours, rel=0.01)
    assert "on average" in finding["impact"]["note"]


@pytest.mark.parametrize(
    ("hours", "said"), [(0.01, "0.6 min"), (7.5, "7.5 h"), (5340.0, "222 days")]
)
def test_a_window_in_words(hours: float, said: str) -> None:
    assert simulation._hours(hours * 3_600_000) == said


def test_of_a_repeated_query_one_execution_stays(tmp_path: Path) -> None:
    comment = tag(1, "%2Frepeat")
    text = "SELECT value FROM settings WHERE key = 'a'"
    lines = [(1 + n / 100, 1.0 + n / 10, comment, text) for n in range(8)]
    result = run(Options(log_min_duration_ms=0, inputs=[str(write(tmp_path / "a.csv", lines))]))
    (finding,) = result.document["findings"]
    assert finding["detector"] == "repeated-query"
    (route,) = result.document["savings"]["routes"]
    assert (route["round_trips_before"], route["round_trips_after"]) == (8, 1)
    assert route["after_ms"] == pytest.approx(1.7)


def test_nested_loops_become_one_statement_a_level(tmp_path: Path) -> None:
    comment = tag(1, "%2Fnest")
    lines: list[Line] = [(1.0, 1.0, comment, PARENT)]
    for author in range(6):
        lines.append(
            (1.1 + author / 10, 1.0, comment, f"SELECT id FROM books WHERE author_id = {author}")
        )
        lines += [
            (1.11 + author / 10 + n / 100, 1.0, comment, f"SELECT body FROM reviews WHERE book_id = {10 * author + n}")
            for n in range(6)
        ]  # fmt: skip
    result = run(Options(log_min_duration_ms=0, inputs=[str(write(tmp_path / "a.csv", lines))]))
    assert len(result.findings) == 2
    (route,) = result.document["savings"]["routes"]
    assert (route["round_trips_before"], route["round_trips_after"]) == (43, 3)


def test_what_is_acknowledged_is_not_counted_as_fixed(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "acks.toml"
    path.write_text(f'[{result.findings[0].key}]\nreason = "x"\n')
    accepted = run(
        Options(log_min_duration_ms=0, inputs=[str(tmp_path / "a.csv")], acknowledged=str(path))
    )
    assert accepted.document["savings"] is None


def test_nothing_to_fix_says_nothing(tmp_path: Path) -> None:
    lines = [line for n in range(9) for line in plain(n, 1.0 + n, 5.0)]
    result = run(Options(log_min_duration_ms=0, inputs=[str(write(tmp_path / "a.csv", lines))]))
    assert result.document["savings"] is None
    assert "If the loops are fixed" not in RENDERERS["markdown"](result.document)


def test_few_of_many_requests_stand_for_all(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(savings, "KEPT", 5)
    sampled = run(Options(log_min_duration_ms=0, inputs=[str(tmp_path / "a.csv")]))
    assert sampled.document["savings"]["note"] == (
        "one in 4 of the requests that hold a loop was simulated"
    )
    wanted = json.loads(json.dumps(result.document["savings"]))
    found = sampled.document["savings"]
    wanted["note"] = found["note"]
    assert found == wanted


def test_views_show_it_and_a_reloaded_document_too(result: Result) -> None:
    reloaded = load(dump(result.document))
    for name in ("html", "markdown", "table"):
        text = RENDERERS[name](reloaded)
        assert "P95 of requests" in text
        assert "/list" in text or name != "html"
        assert "A round trip costs" in text
