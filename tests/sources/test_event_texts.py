"""What messages mean by their texts: those of other versions, lock waits, errors without values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sources.logs.error_texts import known_text, template
from analyzer.sources.logs.event_texts import happening
from analyzer.sources.logs.lock_waits import lock_wait

VERSIONS = [
    (  # 9.6
        ("checkpoint complete: wrote 4 buffers (0.0%); 0 transaction log file(s) added, 1 removed, "
        "2 recycled; write=0.301 s, sync=0.004 s, total=0.313 s; sync files=4, longest=0.002 s, "
        "average=0.001 s; distance=7 kB, estimate=7 kB"),
        ("checkpoint", ""),
        {"buffers": 4, "files_removed": 1, "files_recycled": 2, "write_ms": 301, "total_ms": 313},
    ),
    (  # 17 and 18
        ("restartpoint complete: wrote 997 buffers (6.1%), wrote 3 SLRU buffers; 0 WAL file(s) added, "
        "0 removed, 6 recycled; write=99.998 s, sync=0.050 s, total=100.1 s; sync files=41, "
        "longest=0.029 s, average=0.002 s; distance=6056 kB, estimate=22907 kB; lsn=0/9D5C3D8, "
        "redo lsn=0/9D5C348"),
        ("checkpoint", "restartpoint"),
        {"buffers": 997, "slru_buffers": 3, "write_ms": 99_998, "distance_bytes": 6056 * 1024},
    ),
    (  # 13
        ('automatic analyze of table "shop.public.item" system usage: CPU: user: 0.02 s, '
        "system: 0.00 s, elapsed: 0.09 s"),
        ("autovacuum", "analyze"),
        {"elapsed_ms": 90},
    ),
    (  # 9.6
        ('automatic vacuum of table "shop.public.item": index scans: 1\n'
        "pages: 3 removed, 0 remain, 0 skipped due to pins, 0 skipped frozen\n"
        "tuples: 5 removed, 6 remain, 7 are dead but not yet removable\n"
        "buffer usage: 9 hits, 0 misses, 0 dirtied\n"
        "avg read rate: 0.000 MB/s, avg write rate: 0.000 MB/s\n"
        "system usage: CPU 0.00s/0.00u sec elapsed 0.25 sec"),
        ("autovacuum", "vacuum"),
        {"elapsed_ms": 250, "tuples_removed": 5, "tuples_dead": 7, "pages_removed": 3},
    ),
    (  # 18
        ('automatic aggressive vacuum to prevent wraparound of table "shop.public.item": '
        "index scans: 0\npages: 0 removed, 9 remain, 9 scanned (100.00% of total), 0 eagerly scanned\n"
        "tuples: 1 removed, 2 remain, 0 are dead but not yet removable\n"
        "WAL usage: 12 records, 3 full page images, 9876 bytes, 0 buffers full\n"
        "system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 1.50 s"),
        ("autovacuum", "vacuum"),
        {"elapsed_ms": 1500, "tuples_removed": 1, "tuples_dead": 0, "wal_bytes": 9876},
    ),
    (
        "disconnection: session time: 27:03:02.010 user=ann lee database=my shop host=::1 port=9",
        ("connection", "disconnected"),
        {"session_ms": ((27 * 60 + 3) * 60 + 2) * 1000 + 10},
    ),
    (  # 18
        "connection ready: setup total=6.250 ms, fork=0.500 ms, authentication=0.250 ms",
        ("connection", "ready"),
        {"setup_ms": 6.25},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "identity", "figures"), VERSIONS)
def test_texts_of_other_versions(
    message: str, identity: tuple[str, str], figures: dict[str, float]
) -> None:
    found = happening(message)
    assert found is not None
    assert (found.kind, found.code) == identity
    assert {name: found.amounts[name] for name in figures} == pytest.approx(figures)


def test_names_may_hold_spaces() -> None:
    found = happening("connection authorized: user=ann lee database=my shop application_name=x y")
    assert found is not None
    assert found.parts == {"user": "ann lee", "database": "my shop"}


@pytest.mark.parametrize(
    ("message", "mode", "what", "waited_ms", "goes_on"),
    [
        (("process 7 still waiting for ExclusiveLock on tuple (0,1) of relation 16384 of database 5 "
         "after 1000.119 ms"), "ExclusiveLock", "tuple of relation 16384 of database 5", 1000.119, True),
        (("process 7 avoided deadlock for ShareLock on transaction 5 by rearranging queue order after "
         "1000.1 ms"), "ShareLock", "transaction", 1000.1, True),
        ("process 7 detected deadlock while waiting for ShareLock on transaction 5 after 1000.1 ms",
         "ShareLock", "transaction", 1000.1, False),
        ("process 7 acquired ExclusiveLock on advisory lock [5,0,1,1] after 20.5 ms at character 9",
         "ExclusiveLock", "advisory lock", 20.5, False),
        ("recovery still waiting after 1001.0 ms: recovery conflict on lock", "recovery",
         "recovery conflict on lock", 1001.0, True),
        ("recovery finished waiting after 9000.5 ms: recovery conflict on snapshot", "recovery",
         "recovery conflict on snapshot", 9000.5, False),
        ("process 7 acquired MadeUpLock on page 3 of relation 1 of database 2 after 1.5 ms", "other",
         "page 3 of relation 1 of database 2", 1.5, False),
    ],
)  # fmt: skip
def test_lock_waits_of_every_sort(
    message: str, mode: str, what: str, waited_ms: float, *, goes_on: bool
) -> None:
    wait = lock_wait(message, 0, 1)
    assert wait is not None
    assert (wait.mode, wait.what, wait.waited_ms, wait.went_on) == (mode, what, waited_ms, goes_on)


@pytest.mark.parametrize(
    ("message", "severity", "code", "shown"),
    [
        ('role "x" does not exist', "FATAL", "28000", "role … does not exist"),
        ('role "x" does not exist', "ERROR", "42704", "role … does not exist"),
        ('column "john@example.org" does not exist at character 30', "ERROR", "42703",
         "column … does not exist"),
        ('duplicate key value violates unique constraint "a"b@c"', "ERROR", "23505",
         "duplicate key value violates unique constraint …"),
        ('invalid input syntax for type json: "' + "secret " * 900, "ERROR", "22P02",
         "invalid input syntax for type …"),
    ],
)  # fmt: skip
def test_known_texts(message: str, severity: str, code: str, shown: str) -> None:
    found = known_text(message, severity)
    assert found is not None
    assert (found.code, found.text) == (code, shown)


@given(st.text(alphabet="ab \"'…:0\n", max_size=80), st.sampled_from(["ERROR", "FATAL"]))
def test_what_is_shown_of_a_known_text_is_the_tables(quoted: str, severity: str) -> None:
    for start in ('invalid input syntax for type integer: "', 'column "', ""):
        found = known_text(start + quoted + '" does not exist', severity)
        if found is not None:
            assert set(found.text.split()) <= {
                "invalid", "input", "syntax", "for", "type", "…", "column", "does", "not", "exist",
            }  # fmt: skip


def test_unknown_texts_are_counted_by_template() -> None:
    one, two = (template(f'order {n} of "{who}" is gone') for n, who in ((1, "ann"), (22, "bob")))
    assert one == two == "order … of … is gone"
