"""What the scanner takes note of for Python, and plans that it lets go of, are what Python makes of them."""

from collections.abc import Callable

import pytest
from logs_strategy import PREFIX, WRITERS, Entry, logged, plans_of
from twins import assert_twins, read

from analyzer.model.plan import PlanShelf
from analyzer.sources.logs.events import EventReader
from analyzer.sources.logs.native.driver import NativeReader

FORMS = sorted(WRITERS)


def written(form: str, made: list[Entry]) -> tuple[bytes, str, str | None]:
    """A log of these entries, its format and its prefix."""
    return WRITERS[form](made), form, PREFIX if form == "stderr" else None


def planned(took_ms: float, plan: str, at: int, session: int = 1) -> Entry:
    return logged(f"duration: {took_ms:.3f} ms  plan:\n{plan}", at=at, session=session)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", [lambda n: n, lambda n: 90 - n, lambda n: n * 37 % 91])
def test_the_slowest_plans_of_a_statement_stay(form: str, order: Callable[[int], int]) -> None:
    """In whatever order they come, equally slow ones with them; what is left out is counted."""
    made = []
    for n in range(90):
        text = f"SELECT 'é', {n} FROM \"t\"\nWHERE a = 'x\\y'"
        plans = plans_of(text)
        made.append(planned(10 + order(n) // 2, plans[n % len(plans)], n, n % 3))
        made.append(logged(f"duration: 5.000 ms  statement: {text}", at=n, session=n % 3))
    log = written(form, made)
    assert_twins(*log)
    python, native = (read(*log, native=native)[0] for native in (False, True))
    assert native.plans.left_out == python.plans.left_out > 0
    assert native.coverage.sources[0].plans == 90
    assert sum(plan.statement_key >= 0 for plan in native.plans) >= PlanShelf.PLANS_KEPT


@pytest.mark.parametrize("form", FORMS)
def test_a_session_is_what_it_was_when_an_entry_is_judged(form: str) -> None:
    """Executions, binds and events of few sessions, so that each is told of what came before it."""
    made = []
    for n in range(300):
        session, at = n % 4, n * 50
        text = f"SELECT {n % 7} /* route:{n % 5} */ FROM t"
        made += [
            logged(f"duration: 0.100 ms  bind a: {text}", at=at, session=session),
            logged(f"duration: {n % 9}.500 ms  execute a: {text}", at=at + 1, session=session),
        ][n % 3 % 2 :]
        if n % 2:
            made.append(logged(f'temporary file: path "x", size {n}', at=at + 2, session=session))
        if n % 5 == 0:
            said = ("ERROR", "canceling statement due to statement timeout", "", text, "57014")
            made.append(Entry(at + 3, session, *said, user=f"u{n % 3}"))
        if n % 11 == 0:
            sides = f"Process 1: SELECT 1\nProcess 2: UPDATE t{n} SET a = 1"
            said = ("ERROR", "deadlock detected", sides, f"UPDATE t{n} SET a = 2", "40P01")
            made.append(Entry(at + 3, session, *said))
    recording = assert_twins(*written(form, made))
    assert {kind for _, kind, _ in recording.events} >= {"temp-file", "error", "deadlock"}
    assert recording.cancelled


@pytest.mark.parametrize("form", FORMS)
def test_temporary_files_are_of_their_statements(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read natively where all is as usual; by Python where it is not, or the statement is not known yet."""
    files = []
    file = EventReader.file
    monkeypatch.setattr(EventReader, "file", lambda *a, **k: files.append(a) or file(*a, **k))
    ends = ["7", "0", "9" * 18, "9" * 19, "12 kB", "12٣", "٣", "", "x"]
    paths = ['"base/pgsql_tmp/1.0"', '"é"', '""', '"a\nb"', f'"{"p" * 4090}"', "base"]
    made = []
    for n in range(600):
        session, text = n % 5, f"SELECT {n} FROM t{n % 4} ORDER BY 1"
        message = f"temporary file: path {paths[n % 13 % 6]}, size {ends[n % 11 % 9]}"
        severity, detail = "WARNING" if n % 17 == 0 else "LOG", "why" if n % 19 == 0 else ""
        if n % 3:
            made.append(logged(f"duration: {n % 9}.5 ms  statement: {text}", at=n, session=session))
        made.append(Entry(n, session, severity, message, detail, text if n % 7 else ""))
        if n % 23 == 0:
            made.append(logged("connection received: host=h port=1", at=n, session=session))
    assert_twins(*written(form, made))
    assert 50 < len(files) < 600


def test_a_process_id_that_comes_again_is_another_session() -> None:
    """Where sessions are known by their process alone, connections tell backends apart."""
    made = []
    for n in range(40):
        at, who = n * 10, n % 2
        made.append(logged("connection received: host=h port=1", at=at, session=who))
        if n % 3:
            made.append(logged("connection authorized: user=app", at=at, session=who))
        made.append(logged("duration: 1.000 ms  statement: SELECT 1", at=at + 1, session=who))
        if n % 5 == 0:
            made.append(logged("disconnection: session time: 0:00:01.5", at=at + 2, session=who))
            made.append(logged("duration: 1.000 ms  statement: SELECT 2", at=at + 3, session=who))
    recording = assert_twins(*written("stderr", made))
    assert len(recording.sessions.texts) > 10


@pytest.mark.parametrize("form", FORMS)
def test_events_are_told_many_at_a_time(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawn-out log of them asks Python a few times, not once for each."""
    made = [logged(f'temporary file: path "x", size {n}', at=n, session=n % 3) for n in range(2000)]
    told = []
    tell = NativeReader._tell

    def counted(self: NativeReader) -> None:
        told.append(self._scanner.note_count)
        tell(self)

    monkeypatch.setattr(NativeReader, "_tell", counted)
    read(*written(form, made), native=True)
    assert sum(told) == len(made)
    assert len([count for count in told if count]) < 10


@pytest.mark.parametrize("apart", [False, True])
def test_what_belongs_to_an_entry_is_told_with_it_or_behind(*, apart: bool) -> None:
    """Its DETAIL and STATEMENT follow at once, or where other sessions speak between them."""
    first, second = (f"2026-11-23 08:00:00.000 UTC [{n}] app@shop web " for n in (7, 8))
    deadlock = "Process 1: SELECT 1\n\tProcess 2: UPDATE t SET a = 1"
    ran = [
        f"{one}LOG:  duration: 1.000 ms  statement: UPDATE t SET a = {n}"
        for n, one in enumerate((first, second))
    ]
    of = [
        [
            f"{first}ERROR:  deadlock detected",
            f"{first}DETAIL:  {deadlock}",
            f"{first}HINT:  See server log for query details.",
            f"{first}STATEMENT:  UPDATE t SET a = 2",
        ],
        [
            f'{second}LOG:  temporary file: path "x", size 7',
            f"{second}DETAIL:  ",
            f"{second}STATEMENT:  UPDATE t SET a = 3",
            f"{second}STATEMENT:  UPDATE t SET b = 4",
        ],
    ]
    lines = [line for pair in zip(*of, strict=True) for line in pair] if apart else [*of[0], *of[1]]
    log = "".join(f"{line}\n" for line in [*ran, *lines, *ran, *lines]).encode()
    events = assert_twins(log, "stderr", PREFIX).events
    told = [events[0, *of].statements for of in (("deadlock", "40P01"), ("temp-file", ""))]
    assert [sum(tally.count for _, tally in one.ranked()) for one in told if one] == [4, 2]
