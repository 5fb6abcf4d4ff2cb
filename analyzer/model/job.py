"""Jobs of queues: what their queue tells of them, and what they come to by queue and name."""

from collections.abc import Sequence

from analyzer.records import record

# Where a job, or one attempt at it, stands.
COMPLETED, FAILED, RETRIED, ACTIVE, WAITING = "completed", "failed", "retried", "active", "waiting"


@record
class JobAttempt:
    """One attempt at a job, or (without `started_us`) a job that was added and not begun so far.

    `job` is its id, which is one of its queue's. `number` counts attempts from 1; 0 where it is not known.
    `ready_us` is when it could have begun: added and its delay over, or back in the queue. `outcome` is
    completed, failed (for good), retried, active or waiting; "" where it is not known. `attempts` is how
    many were begun so far, 0 where the source does not tell. `origin` is redis, events or spans.
    """

    queue: str
    job: str
    name: str
    number: int = 0
    ready_us: int | None = None
    started_us: int | None = None
    ended_us: int | None = None
    outcome: str = ""
    attempts: int = 0
    origin: str = ""


@record
class Spread:
    """Times or numbers of several jobs: how many are known, nearest-rank P50 and P95, the largest."""

    count: int
    p50: float
    p95: float
    largest: float


@record
class Repeated:
    """A statement that later attempts ran again with the same parameters: how often, and for how long."""

    shape_id: str
    executions: int
    total_ms: float


@record
class JobFigures:
    """The jobs of one queue and name.

    `jobs` were begun, of which `with_statements` have statements in the input; `attempts` at them.
    `completed`, `failed`, `active` and `waiting` are jobs by their last known state, `retried` jobs with
    several attempts. `wait` is from ready to begun and `run` from begun to ended, both in ms and by
    attempt; `database` (ms) and `round_trips` are by job, over all its attempts. `statements` are
    (shape_id, ms together), most first. `repeats` are executions that a later attempt repeated of an
    earlier one, `repeated` the same by statement. None where nothing tells.
    """

    queue: str
    name: str
    jobs: int
    attempts: int
    completed: int
    failed: int
    active: int
    waiting: int
    retried: int
    most_attempts: int
    wait: Spread | None
    run: Spread | None
    with_statements: int
    database: Spread | None
    database_total_ms: float
    round_trips: Spread | None
    statements: Sequence[tuple[str, float]]
    repeats: int
    repeated: Sequence[Repeated]
    origins: Sequence[str] = ()

    @property
    def route(self) -> str:
        """What requests and findings call it."""
        return f"{self.queue}:{self.name}" if self.queue else self.name
