"""What a server logs of one statement: its phases, duration, plan, parameters, failure and waits."""

from collections.abc import Generator
from random import Random
from typing import NamedTuple

from log_formats import Entry, Process
from log_journal import Journal
from log_plans import plan_message
from log_shapes import Shape, Tally

PLAN_US = 100_000  # auto_explain.log_min_duration
SPILL_US = 20_000  # slower executions may write temporary files
ERROR_SHARE, LOCK_SHARE, SPILL_SHARE = 0.002, 0.0001, 0.1
DEADLOCK_TIMEOUT_US = 1_000_000

# What an ERROR says; {t} is a table, {n} a number, {p} the process. The last two are of writes.
ERRORS = (
    Entry("canceling statement due to statement timeout", code="57014"),
    Entry('relation "{t}_old" does not exist', code="42P01"),
    Entry("could not serialize access due to concurrent update", code="40001"),
    Entry(
        'duplicate key value violates unique constraint "{t}_email_key"',
        code="23505",
        detail="Key (email)=(a{n}@example.com) already exists.",
    ),
    Entry(
        "deadlock detected",
        code="40P01",
        detail="Process {p} waits for ShareLock on transaction {n}; blocked by process 11.\n"
        "Process 11 waits for ShareLock on transaction 12; blocked by process {p}.",
        hint="See server log for query details.",
        context='while updating tuple ({n},7) in relation "{t}"',
    ),
)


class Call(NamedTuple):
    """A statement as sent: `how` stands before its text in the log, `detail` has its parameters."""

    how: str
    text: str
    tally: Tally
    query_id: int
    detail: str = ""


class Statements:
    """Runs statements: each run yields the µs until its next log entry and tells if it failed."""

    def __init__(self, rng: Random, journal: Journal) -> None:
        """Draw the spread of durations once."""
        self._rng = rng
        self._random = rng.random
        self._journal = journal
        self._spread = [rng.lognormvariate(0, 0.9) for _ in range(4096)]

    def run(self, process: Process, shape: Shape, comment: str) -> Generator[int, None, bool]:
        """One execution with all that is logged of it; `comment` is appended where it can be."""
        if shape.prepared:
            if not process.in_block:
                process.serial += 1
                process.local = process.serial
            call = yield from self._prepare(process, shape, comment)
        else:
            text, tally, query_id = shape.render()
            call = Call("statement", text + comment, tally, query_id)
        chance = self._random()
        if chance < ERROR_SHARE and not shape.control:
            yield shape.typical_us
            self._fail(process, shape, call)
        else:
            waited_us = 0
            if chance > 1 - LOCK_SHARE:
                waited_us = yield from self._wait_for_lock(process, call)
            us = 1 + int(shape.typical_us * self._spread[int(self._random() * 4096)])
            yield us
            self._done(process, shape, call, us + waited_us)
        if not process.in_block:
            process.local = 0
        return chance < ERROR_SHARE and not shape.control

    def _prepare(self, process: Process, shape: Shape, comment: str) -> Generator[int, None, Call]:
        """Parse (once, where the session names its statements) and bind."""
        random, write = self._random, self._journal.write
        tally, text, name = shape.tally("", shape.prepared), shape.prepared, f"S_{shape.number}"
        if process.number % 2:
            text, name = text + comment, "<unnamed>"
        if shape.number not in process.prepared or process.number % 2:
            process.prepared.add(shape.number)
            us = 10 + int(random() * 400)
            yield us
            tally.parses += 1
            tally.parse_us += us
            message = f"duration: {us / 1000:.3f} ms  parse {name}: {text}"
            write(process, Entry(message, "PARSE", shape.query_id))
        detail = shape.parameters()
        us = 5 + int(random() * 100)
        yield us
        tally.binds += 1
        tally.bind_us += us
        message = f"duration: {us / 1000:.3f} ms  bind {name}: {text}"
        write(process, Entry(message, "BIND", shape.query_id, detail=detail))
        return Call(f"execute {name}", text, tally, shape.query_id, detail)

    def _done(self, process: Process, shape: Shape, call: Call, us: int) -> None:
        write, tally = self._journal.write, call.tally
        if us > SPILL_US and self._random() < SPILL_SHARE:
            size = int(self._random() * 1e8)
            message = f'temporary file: path "base/pgsql_tmp/pgsql_tmp{process.pid}.{process.line}", size {size}'
            entry = Entry(message, shape.tag, call.query_id, statement=call.text)
            write(process, entry, "temp-file")
        if us > PLAN_US and not shape.control:
            tally.plans += 1
            as_json = process.database == "shop"  # ALTER DATABASE … SET auto_explain.log_format
            message = plan_message(self._rng, call.text, shape.table, us / 1000, as_json=as_json)
            write(process, Entry(message, shape.tag, call.query_id))
        tally.calls += 1
        tally.total_us += us
        if not shape.control:
            self._journal.durations.append(us)
        message = f"duration: {us / 1000:.3f} ms  {call.how}: {call.text}"
        write(process, Entry(message, shape.tag, call.query_id, detail=call.detail))

    def _fail(self, process: Process, shape: Shape, call: Call) -> None:
        call.tally.errors += 1
        errors = ERRORS[:3] if shape.tag == "SELECT" else ERRORS
        error = errors[int(self._random() * len(errors))]
        names = {"t": shape.table or "users", "n": int(self._random() * 1e6), "p": process.pid}
        entry = error._replace(
            message=error.message.format(**names),
            detail=error.detail.format(**names),
            context=error.context.format(**names),
            tag=shape.tag,
            severity="ERROR",
            query_id=call.query_id,
            statement=call.text,
        )
        self._journal.write(process, entry, f"error-{error.code}")

    def _wait_for_lock(self, process: Process, call: Call) -> Generator[int, None, int]:
        """Two entries about a wait longer than deadlock_timeout; tells its µs."""
        lock = f"ShareLock on transaction {700_000 + self._journal.entries}"
        us = DEADLOCK_TIMEOUT_US + int(self._random() * 400_000)
        yield DEADLOCK_TIMEOUT_US
        still = Entry(
            f"process {process.pid} still waiting for {lock} after 1000.{us % 1000:03d} ms",
            query_id=call.query_id,
            detail=f"Process holding the lock: 11. Wait queue: {process.pid}.",
            statement=call.text,
        )
        self._journal.write(process, still, "lock-wait")
        yield us - DEADLOCK_TIMEOUT_US
        acquired = f"process {process.pid} acquired {lock} after {us / 1000:.3f} ms"
        entry = Entry(acquired, query_id=call.query_id, statement=call.text)
        self._journal.write(process, entry)
        return us
