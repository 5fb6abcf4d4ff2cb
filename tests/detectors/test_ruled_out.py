"""What comes again and again and is no N+1, each with its own verdict."""

from pathlib import Path

import pytest
from levels import written

from analyzer.model.ruled_out import Verdict
from analyzer.pipeline import Options, Result, run
from analyzer.report.views.markdown import render

AUTHORS = "SELECT id, name FROM authors ORDER BY name LIMIT 40"
READY = "SELECT id, payload FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1"
LATE = "SELECT count(*) FROM invoices WHERE due < now()"

CASES: dict[Verdict, tuple[float, list[str]]] = {
    Verdict.BATCHED: (
        0.005,
        [AUTHORS]
        + [f"SELECT id FROM books WHERE author_id IN ({n}, {n + 1}, {n + 2})" for n in range(8)],
    ),
    Verdict.PAGINATION: (
        0.005,
        [f"SELECT id FROM books WHERE id > {100 * n} ORDER BY id LIMIT 100" for n in range(8)],
    ),
    Verdict.RETRY: (
        0.02,
        [
            text
            for n in range(6)
            for text in ("BEGIN", "SELECT stock FROM items WHERE id = 7", "COMMIT" if n == 5 else "ROLLBACK")
        ],
    ),
    Verdict.POLLING: (0.2, [READY] * 20),
    Verdict.BULK_IMPORT: (
        0.005,
        [f"INSERT INTO books (id, title) VALUES ({2 * n}, 'a'), ({2 * n + 1}, 'b')" for n in range(8)],
    ),
    Verdict.PER_TENANT: (
        0.005,
        ["SELECT id FROM tenants"]
        + [text for n in range(8) for text in (f"SET search_path TO tenant_{n}", LATE)],
    ),
    Verdict.READ_BEFORE_WRITE: (
        0.005,
        [
            text
            for n in range(4)
            for text in (
                "SELECT stock FROM items WHERE id = 7",
                "UPDATE items SET stock = stock - 1 WHERE id = 7",
            )
        ]
        * 2,
    ),
}  # fmt: skip


def judged(path: Path, step_s: float, texts: list[str]) -> Result:
    rows = [(1 + n * step_s, 1.0004 + n * step_s, 1, text) for n, text in enumerate(texts)]
    path.write_text("".join(written(rows)))
    return run(Options([str(path)], log_min_duration_ms=0))


@pytest.mark.parametrize("verdict", CASES)
def test_each_has_its_verdict_and_no_finding(verdict: Verdict, tmp_path: Path) -> None:
    result = judged(tmp_path / "app.csv", *CASES[verdict])
    told = result.outcomes["n-plus-one"].ruled_out
    assert [one.verdict for one in told] == [verdict]
    loops = {"n-plus-one", "repeated-lookup", "repeated-query"}
    assert loops.isdisjoint(one.detector for one in result.findings)
    assert f"no N+1, {verdict}: {told[0].executions} × " in render(result.document)


def test_a_job_that_commits_each_turn_is_a_batch_job(tmp_path: Path) -> None:
    turns = [
        text
        for n in range(8)
        for text in (
            "SELECT pg_backend_pid(), count(*) FROM audit", f"INSERT INTO audit (id) VALUES ({n})",
            "BEGIN", f"SELECT total FROM orders WHERE customer_id = {n}", "COMMIT",
        )
    ]  # fmt: skip
    result = judged(tmp_path / "app.csv", 0.015, ["SELECT note FROM reports", *turns])
    told = {one.verdict for one in result.outcomes["n-plus-one"].ruled_out}
    assert told == {Verdict.BATCH_JOB}


def test_a_loop_is_not_ruled_out(tmp_path: Path) -> None:
    texts = [AUTHORS, *(f"SELECT id FROM books WHERE author_id = {n}" for n in range(12))]
    result = judged(tmp_path / "app.csv", 0.005, texts)
    assert result.outcomes["n-plus-one"].ruled_out == ()
    assert "no N+1" not in render(result.document)


def test_what_is_polled_at_no_steady_period_is_a_repeated_query(tmp_path: Path) -> None:
    texts = [text for n in range(12) for text in [READY, *(["SELECT now() FROM audit"] * (n % 3))]]
    result = judged(tmp_path / "app.csv", 0.01, texts)
    assert "repeated-query" in {one.detector for one in result.findings}


def test_a_list_that_is_asked_for_again_with_the_same_values_stays_a_repeated_query(
    tmp_path: Path,
) -> None:
    result = judged(
        tmp_path / "app.csv", 0.005, ["SELECT * FROM options WHERE key IN ('a', 'b')"] * 8
    )
    assert [one.detector for one in result.findings] == ["repeated-query"]
    assert result.outcomes["n-plus-one"].ruled_out == ()


@pytest.mark.parametrize(
    ("pauses_ms", "polled"),
    [
        ([120 + 30 * (n * 7 % 5 - 2) for n in range(60)], True),  # up to half of it sooner or later
        ([30 * 2 ** (n % 4) for n in range(100)], True),  # grow, and begin anew
        ([240 * (n * 37 % 60) ** 3 // 60**3 for n in range(160)], False),  # as requests come
        ([120] * 4 + [3, 170] * 28, False),  # two at once, again and again
        ([120 + 30 * (n * 7 % 5 - 2) for n in range(18)], False),  # a request may ask so often
    ],
)
def test_pauses_tell_polling_from_what_is_repeated(
    pauses_ms: list[int], *, polled: bool, tmp_path: Path
) -> None:
    at, rows = 1.0, []
    for pause_ms in pauses_ms:
        rows.append((at, at + 0.0004, 1, READY))
        at += pause_ms / 1000
    (tmp_path / "app.csv").write_text("".join(written(rows)))
    result = run(Options([str(tmp_path / "app.csv")], log_min_duration_ms=0))
    told = [one.verdict for one in result.outcomes["n-plus-one"].ruled_out]
    assert told == ([Verdict.POLLING] if polled else [])
    found = {one.detector for one in result.findings}
    assert ("repeated-query" in found) == (not polled)


@pytest.mark.parametrize(("tenants", "expected"), [(8, {Verdict.PER_TENANT}), (1, set())])
def test_a_loop_over_tenants_is_none_where_the_session_changes_to_each(
    tmp_path: Path, tenants: int, expected: set[Verdict]
) -> None:
    """Setting the same in each turn, as row-level security may ask for, is no other tenant."""
    turns = [
        text
        for n in range(8)
        for text in (
            f"SET app.tenant TO '{n % tenants}'",
            f"SELECT sum(amount) FROM invoices WHERE tenant_id = {n}",
        )
    ]
    result = judged(tmp_path / "app.csv", 0.005, ["SELECT id, name FROM tenants", *turns])
    assert {one.verdict for one in result.outcomes["n-plus-one"].ruled_out} == expected
    found = {one.detector for one in result.findings}
    assert ("n-plus-one" in found) == (not expected)
