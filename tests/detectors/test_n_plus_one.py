"""n-plus-one on captures of three ORMs, one slice per behaviour, and on made-up near misses."""

from pathlib import Path

import pytest
from slices import CORPUS, ORMS, SLICES, schema_of, wanted

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.finding import Status
from analyzer.pipeline import Options, Result, run


def judge(orm: str, name: str, *, schema: bool) -> Result:
    known = schema_of(orm) if schema else None
    return run(Options(inputs=[str(CORPUS / orm / name)], schema=known))


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
@pytest.mark.parametrize(("orm", "name"), SLICES)
def test_every_slice_gives_its_pairs_and_no_other(orm: str, name: str, *, schema: bool) -> None:
    result = judge(orm, name, schema=schema)
    expected = wanted(orm, name)
    found = [f.evidence for f in result.findings if isinstance(f.evidence, NPlusOneEvidence)]
    if expected is None:
        return
    assert {(one.parent_table, one.child_table) for one in found} == {
        (one.parent, one.child) for one in expected
    }
    for one in expected:
        counts = [
            e.children_per_occurrence.median
            for e in found
            if (e.parent_table, e.child_table) == (one.parent, one.child)
        ]
        assert any(abs(count - one.count) <= 1 for count in counts)


def test_labels_are_all_of_the_corpus() -> None:
    assert len(SLICES) == sum(len(list((CORPUS / orm).glob("*.[cl]*[vg]"))) for orm in ORMS)


def write_log(path: Path, statements: list[tuple[float, str, str]]) -> str:
    """A csvlog of (second, session, statement); each took 0.1 ms."""
    lines = []
    for line, (second, session, text) in enumerate(statements, 1):
        at = f"2026-11-22 08:{int(second) // 60:02d}:{second % 60:06.3f} UTC"
        quoted = text.replace('"', '""')
        lines.append(
            f'{at},"app","app",1,"127.0.0.1:1",{session},{line},"SELECT",2026-11-22 08:00:00 UTC,3/1,0,LOG,00000,'
            f'"duration: 0.100 ms  statement: {quoted}",,,,,,,,,"web","client backend",,0\n'
        )
    path.write_text("".join(lines))
    return str(path)


def n_plus_one(path: str) -> list[NPlusOneEvidence]:
    result = run(Options(inputs=[path], log_min_duration_ms=0))
    return [f.evidence for f in result.findings if isinstance(f.evidence, NPlusOneEvidence)]


PARENT = "SELECT id, name FROM authors ORDER BY id LIMIT 20"
SESSION = "6b02ada0.1"


def children(
    count: int,
    start: float,
    text: str = "SELECT title FROM books WHERE author_id = {}",
    step: float = 0.005,
    session: str = SESSION,
) -> list[tuple[float, str, str]]:
    return [(start + step * n, session, text.format(n)) for n in range(count)]


def test_found_from_names_alone(tmp_path: Path) -> None:
    (found,) = n_plus_one(write_log(tmp_path / "a.csv", [(1, SESSION, PARENT), *children(8, 1.01)]))
    assert (found.parent_table, found.child_table, found.executions) == ("authors", "books", 8)


@pytest.mark.parametrize(
    ("case", "statements"),
    [
        ("four children are below the threshold", [(1, SESSION, PARENT), *children(4, 1.01)]),
        (
            "more children than the parent's LIMIT",
            [(1, SESSION, "SELECT id FROM authors LIMIT 6"), *children(12, 1.01)],
        ),
        (
            "a parent of one row",
            [(1, SESSION, "SELECT id FROM authors WHERE id = 1"), *children(8, 1.01)],
        ),
        (
            "an aggregate is no parent",
            [(1, SESSION, "SELECT count(*) FROM authors"), *children(8, 1.01)],
        ),
        ("children an idle gap later", [(1, SESSION, PARENT), *children(8, 2.5)]),
        (
            "children in another session long after",
            [(1, SESSION, PARENT), *children(8, 1.2, session="6b02ada0.2")],
        ),
        (
            "one child a parent: requests one after another",
            [
                step
                for n in range(10)
                for step in (
                    (1 + n / 50, SESSION, PARENT),
                    (1.004 + n / 50, SESSION, f"SELECT title FROM books WHERE author_id = {n}"),
                )
            ],
        ),
        (
            "batched loads",
            [
                (1, SESSION, PARENT),
                *children(8, 1.01, "SELECT title FROM books WHERE author_id IN ({0}, 9{0})"),
            ],
        ),
        (
            "the same key each time",
            [
                (1, SESSION, PARENT),
                *children(8, 1.01, "SELECT title FROM books WHERE author_id = 7 /*{}*/"),
            ],
        ),
        (
            "an unrelated table",
            [(1, SESSION, PARENT), *children(8, 1.01, "SELECT a FROM weather WHERE day = {}")],
        ),
        (
            "read before write",
            [
                (1, SESSION, PARENT),
                *[
                    step
                    for n in range(8)
                    for step in (
                        (1.01 + n / 100, SESSION, f"SELECT title FROM books WHERE author_id = {n}"),
                        (
                            1.015 + n / 100,
                            SESSION,
                            f"UPDATE books SET title = 'x' WHERE author_id = {n}",
                        ),
                    )
                ],
            ],
        ),
        (
            "writes are no children",
            [
                (1, SESSION, PARENT),
                *children(8, 1.01, "UPDATE books SET a = 1 WHERE author_id = {}"),
            ],
        ),
    ],
)
def test_near_misses_stay_silent(
    case: str, statements: list[tuple[float, str, str]], tmp_path: Path
) -> None:
    assert n_plus_one(write_log(tmp_path / "a.csv", statements)) == [], case


def test_children_on_other_connections_of_the_pool(tmp_path: Path) -> None:
    parallel = [
        (1.02 + n / 1000, f"6b02ada0.{n % 5 + 1}", f"SELECT title FROM books WHERE author_id = {n}")
        for n in range(20)
    ]
    (found,) = n_plus_one(write_log(tmp_path / "a.csv", [(1, SESSION, PARENT), *parallel]))
    assert (found.scope, found.executions, found.occurrences) == ("cross-session", 20, 1)


def test_fused_requests_are_several_occurrences(tmp_path: Path) -> None:
    log = [
        step
        for n in range(3)
        for step in ((1 + n / 10, SESSION, PARENT), *children(10, 1.01 + n / 10))
    ]
    (found,) = n_plus_one(write_log(tmp_path / "a.csv", log))
    assert (found.occurrences, found.children_per_occurrence.median) == (3, 10)


def test_traces_hold_together_what_sessions_interleave(tmp_path: Path) -> None:
    tag = "/*traceparent='00-{0:032x}-{1:016x}-01',route='%2Fauthors'*/"
    log = []
    for n in range(9):
        for request in (1, 2):
            text = (
                PARENT
                if n == 0
                else f"SELECT title FROM books WHERE author_id = {10 * request + n}"
            )
            log.append(
                (
                    1 + n / 100,
                    f"6b02ada0.{(n + request) % 2 + 1}",
                    f"{text} {tag.format(request, n + 1)}",
                )
            )
    path = write_log(tmp_path / "a.csv", log)
    (found,) = n_plus_one(path)
    assert (found.scope, found.occurrences, found.children_per_occurrence.max) == ("trace", 2, 8)
    (finding,) = run(Options(inputs=[path])).findings
    assert finding.routes == ("/authors",)


def test_a_censored_log_is_never_clean(tmp_path: Path) -> None:
    path = write_log(tmp_path / "a.csv", [(1, SESSION, PARENT)])
    text = Path(path).read_text().replace("0.100 ms", "143.700 ms") * 3
    Path(path).write_text(text)
    outcome = run(Options(inputs=[path])).outcomes["n-plus-one"]
    assert outcome.status is Status.NOT_APPLICABLE
    assert "100 ms" in (outcome.reason or "")
    outcome = run(Options(inputs=[path], log_min_duration_ms=0)).outcomes["n-plus-one"]
    assert outcome.status is Status.CLEAN
    outcome = run(Options(inputs=[path], log_min_duration_ms=100)).outcomes["n-plus-one"]
    assert outcome.status is Status.NOT_APPLICABLE


def test_a_new_column_in_the_model_keeps_the_finding(tmp_path: Path) -> None:
    """Django lists every column: a migration that adds one must not turn findings into new ones."""
    before = (CORPUS / "django" / "nested.csv").read_text()
    after = before.replace('""books"".""title"",', '""books"".""title"", ""books"".""subtitle"",')
    after = after.replace('""authors"".""name"",', '""authors"".""name"", ""authors"".""born"",')
    assert after != before
    changed = tmp_path / "after.csv"
    changed.write_text(after)
    first = judge("django", "nested.csv", schema=False)
    second = run(Options(inputs=[str(changed)]))
    assert {f.key for f in first.findings} == {f.key for f in second.findings}
    assert {f.shape_ids for f in first.findings} != {f.shape_ids for f in second.findings}


def test_a_loop_within_a_loop_may_be_held_up(tmp_path: Path) -> None:
    """A pause of the machine before a child is none between requests: the outer loop goes on."""
    rows, at = [(1.0, SESSION, PARENT)], 1.0
    for author in range(8):
        texts = [f"SELECT id FROM books WHERE author_id = {author}"]
        texts += [f"SELECT stars FROM reviews WHERE book_id = {3 * author + n}" for n in range(3)]
        for place, text in enumerate(texts):
            at += 0.05 if place == 3 and author % 2 else 0.001
            rows.append((at, SESSION, text))
    found = {one.child_table: one for one in n_plus_one(write_log(tmp_path / "a.csv", rows))}
    assert found["books"].executions == 8
    # Behind the last book nothing tells whether the same request asked.
    assert found["reviews"].executions == 23
    assert found["reviews"].children_per_parent.median == 3
