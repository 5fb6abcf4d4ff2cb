"""`.pg95/acknowledged.toml`: written the same way each time, and errors that name the line."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError, UsageError
from analyzer.model.acknowledgement import COMMENT, Acknowledgement, Acknowledgements
from analyzer.sources.acknowledgements import NAME, checked, find, place_for_new, read, write
from analyzer.workload.ignored import read_ignored

KEY = "n-plus-one-0123456789ab"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


def test_a_file_is_sorted_and_stable(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "acknowledged.toml"
    entries = [
        Acknowledgement("repeated-query-b", 'says "no"\\', date(2027, 1, 31), "SHOP-1"),
        Acknowledgement(KEY, "on purpose"),
    ]
    write(path, entries)
    text = path.read_text()
    assert text.endswith(
        f'[{KEY}]\nreason = "on purpose"\n\n'
        '[repeated-query-b]\nreason = "says \\"no\\"\\\\"\nticket = "SHOP-1"\nuntil = 2027-01-31\n'
    )
    write(path, reversed(entries))
    assert path.read_text() == text
    write(path, read(path).values())
    assert path.read_text() == text
    assert [file.name for file in path.parent.iterdir()] == ["acknowledged.toml"]


@settings(max_examples=60, deadline=None)
@given(key=TEXTS, reason=TEXTS, ticket=st.none() | TEXTS, until=st.none() | st.dates())
def test_whatever_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    key: str,
    reason: str,
    ticket: str | None,
    until: date | None,
) -> None:
    path = tmp_path_factory.mktemp("ack") / "a.toml"
    write(path, [Acknowledgement(key, reason, until, ticket)])
    (found,) = read(path).values()
    assert (found.key, found.reason, found.until, found.ticket) == (key, reason, until, ticket)


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("[a]\nreason = \n", 2, "Correct the line"),
        ("[a]\nreason = 'x'\n[a]\nreason = 'y'\n", 3, "Correct the line"),
        ("[a]\nreason = 'x'\n\n[b]\nticket = 'T-1'\n", 4, "reason is missing"),
        ("[a]\nreason = '  '\n", 1, "reason is missing"),
        ("[a]\nreson = 'x'\n", 1, "unknown field 'reson'"),
        ("# c\n[a]\nreason = 'x'\nuntil = 'soon'\n", 2, "until = 2027-01-31"),
        ("[a]\nreason = 'x'\nticket = 7\n", 1, 'ticket = "7"'),
        ("a = 1\n", 1, "is no table"),
        ("[a]\nreason = 'x'", 0, ""),
    ],
)
def test_errors_name_line_and_remedy(tmp_path: Path, text: str, line: int, remedy: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    if not line:
        assert list(read(path)) == ["a"]
        return
    with pytest.raises(InputError) as raised:
        read(path)
    assert f"{path}:{line}: " in str(raised.value)
    assert remedy in str(raised.value)


@pytest.mark.parametrize("data", [b"\xff[a]", b"[" * 100_000, b"#" * (1 << 21), b"[a]\x00"])
def test_what_is_no_such_file_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.toml"):
        read(path)


def test_the_file_is_found_upward(tmp_path: Path) -> None:
    deep = tmp_path / "app" / "src"
    deep.mkdir(parents=True)
    assert find(deep) is None
    assert place_for_new(deep) == deep / NAME
    (tmp_path / "app" / ".git").mkdir()
    assert place_for_new(deep) == tmp_path / "app" / NAME
    write(tmp_path / NAME, [])
    assert find(deep) == tmp_path / NAME
    assert read(tmp_path / NAME) == {}


def test_the_last_day_counts() -> None:
    entry = Acknowledgement(KEY, "x", date(2026, 12, 31))
    for today, folds in ((date(2026, 12, 31), True), (date(2027, 1, 1), False)):
        found = Acknowledgements({KEY: entry}, {}, today).of(KEY, "n-plus-one", ["s"])
        assert found is not None
        assert (found.folds, found.expired) == (folds, not folds)
    ignored = {"s": frozenset({"n-plus-one"})}
    found = Acknowledgements({KEY: entry}, ignored, date(2027, 1, 1)).of(KEY, "n-plus-one", ["s"])
    assert found is not None
    assert found.acknowledgement.by == COMMENT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((" ", "x", None, None), "KEY"), (("a", "x\ny", None, None), "--reason"), (("a", "x", "2027-13-01", None), "--until"), (("a", "x", None, "\udcff"), "--ticket")],
)  # fmt: skip
def test_the_command_line_is_checked(
    arguments: tuple[str, str, str | None, str | None], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        checked(*arguments)


@pytest.mark.parametrize(
    ("comment", "names"),
    [
        ("/* pg95:ignore n-plus-one */", {"n-plus-one"}),
        ("/*route='%2F'*/ -- pg95:ignore repeated-query, n-plus-one", {"repeated-query", "n-plus-one"}),
        ("/* pg95:ignore all */", {"all"}),
        ("/* pg95:ignore */", set()),
        ("/* pg95 ignore all */", set()),
    ],
)  # fmt: skip
def test_comments(comment: str, names: set[str]) -> None:
    assert read_ignored(comment) == names
