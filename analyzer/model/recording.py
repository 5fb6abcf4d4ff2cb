"""What the sources give, before anyone looks at it: columns, plans, counters, a catalog."""

from collections.abc import Sequence
from dataclasses import field
from typing import Protocol

from analyzer.model.cancelled import Cancelled, StatementTimeouts
from analyzer.model.catalog import Catalog
from analyzer.model.coverage import Coverage
from analyzer.model.event import Event
from analyzer.model.job import JobAttempt
from analyzer.model.plan import PlanShelf
from analyzer.model.snapshot import CounterWindow, Snapshot
from analyzer.model.statement import StatementCounters
from analyzer.model.strings import Strings
from analyzer.model.use import Use
from analyzer.records import changing

NANOSECONDS = 1_000_000  # in a millisecond


class StatementKeys(Protocol):
    """Interns statement texts by their safe key (analyzer.sql.keys has the implementation).

    `texts[k]` is the first text seen with key number k, and `safe_keys[k]` that key.
    """

    texts: list[str]
    checked: int
    disagreed: int

    def add(self, text: str) -> tuple[int, str | None, str | None]:
        """Intern a statement's text.

        Returns the number of its key; its literals joined by U+001F, None if it has none; its
        comments joined by a space, None if it has none.
        """
        ...

    def add_new(self, text: str) -> tuple[int, str | None, str | None]:
        """As `add`, for who remembers texts himself, and checks what he remembers."""
        ...

    @property
    def safe_keys(self) -> Sequence[str]:
        """The safe keys by their numbers."""
        ...

    def known_as(self, key: str, text: str) -> int:
        """Intern a text whose safe key is known already; the number of its key."""
        ...

    def check(self, text: str, number: int) -> None:
        """Hold a text that was taken for key `number` against the fingerprint of that key."""
        ...


@changing
class PhaseTotals:
    """Parse and bind figures of one statement key: how often, and their time together.

    It is kept in whole nanoseconds (no log tells less): such sums do not depend on their order.
    """

    parses: int = 0
    parse_ns: int = 0
    binds: int = 0
    bind_ns: int = 0

    def add(self, other: "PhaseTotals") -> None:
        """Take in those of another part."""
        self.parses += other.parses
        self.parse_ns += other.parse_ns
        self.binds += other.binds
        self.bind_ns += other.bind_ns

    @property
    def parse_ms(self) -> float:
        """Milliseconds of all parses."""
        return self.parse_ns / NANOSECONDS

    @property
    def bind_ms(self) -> float:
        """Milliseconds of all binds."""
        return self.bind_ns / NANOSECONDS


@changing
class Recording:
    """Everything gathered. Tables of texts are shared by all sources of a run.

    Executions are not kept here: they pass by as chunks (analyzer.model.executions), whose
    `parameters` are what an execution was called with: DETAIL's `$1 = '5', …`, the literals of
    its text joined by U+001F, or Prisma's JSON array; analyzer.sql.parameters reads all three.
    `comments` are those of statements, without their trace ids, and what an application's log says of
    the request (route, job), in the same form.
    A session's text is "<hex start>.<hex pid>" (PostgreSQL's %c) where known, else "pid:<n>" or
    "pid:<n>#<k>" for the k-th backend of that pid, or "client:<path>" for a client's stream.
    `rows` are rows returned or written by (source, key), where an application's log tells.
    `snapshots` are those read from inputs, with the number of their source; what was counted between
    them is in `counters`, and `counter_windows` are the windows that these are of. `asked_us` is from when
    to when logs are read (None: from their beginning, to their end).
    `use` is how tables and indexes were used, over the best window that the inputs or the server give.
    `phases` is by (source, key) and `events` by (source, kind, code): an input that turns out to
    show what another shows is left out of both. `cancelled` are the first executions that were (they are among
    the events, too), `timeouts` what a live server gives to its sessions.
    `jobs` are attempts at jobs that a queue, or spans of it, tell of.
    """

    keys: StatementKeys
    comments: Strings = field(default_factory=Strings)
    sessions: Strings = field(default_factory=Strings)
    names: Strings = field(default_factory=Strings)  # databases, users, applications
    phases: dict[tuple[int, int], PhaseTotals] = field(default_factory=dict)
    rows: dict[tuple[int, int], int] = field(default_factory=dict)
    events: dict[tuple[int, str, str], Event] = field(default_factory=dict)
    cancelled: list[Cancelled] = field(default_factory=list)
    timeouts: StatementTimeouts | None = None
    plans: PlanShelf = field(default_factory=PlanShelf)
    jobs: list[JobAttempt] = field(default_factory=list)
    counters: list[StatementCounters] = field(default_factory=list)
    snapshots: list[tuple[int, Snapshot]] = field(default_factory=list)
    counter_windows: list[CounterWindow] = field(default_factory=list)
    asked_us: tuple[int | None, int | None] = (None, None)
    catalog: Catalog | None = None
    use: Use | None = None
    coverage: Coverage = field(default_factory=Coverage)
