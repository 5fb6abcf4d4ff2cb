"""Lock waits: "still waiting … after 1000.1 ms" and "acquired … after 2000.2 ms" are one wait.

A wait is counted when it is first told of, and grows when its end is. The first wait of each process
is kept aside (a head): the bytes before, read by another reader, may have its beginning. What is
left at the end was a wait of its own.
"""

from collections.abc import Callable
from dataclasses import field

from analyzer.model.event import Event, Rename
from analyzer.patterns import regex
from analyzer.records import changing

_WAIT = regex(
    r"process (\d{1,10}) (still waiting for|acquired|avoided deadlock for|failed to acquire"
    r"|detected deadlock while waiting for) (\w{1,40}) on ([^\n]{1,300}?)"
    r"(?: by rearranging queue order)? after (\d{1,12}\.\d{1,6}) ms"
)
_RECOVERY = regex(r"recovery (still|finished) waiting after (\d{1,12}\.\d{1,6}) ms: ([^\n]{1,300})")
_MODES = frozenset(
    [
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ]
)
_GOES_ON = frozenset(("still waiting for", "avoided deadlock for", "still"))
_NUMBERS = regex(r"\(\d+,\d+\) |(?<=transaction )[\d/]+|(?<=advisory lock )\[[\d,]*\]")
_STARTUP = 0  # stands for the process that recovers
_PROCESSES = 20_000  # followed at a time
_TOLERANCE_US = 20_000  # between two beginnings of one wait, as two entries tell them

WAITED = "waited_ms"
Find = Callable[[str, str], Event]  # the event of a kind and code, new or known


@changing
class Wait:
    """One wait, for a lock of a mode on something.

    `waited_ms` is as last told, at `at_us`; `told_us` is when it was told of first, and `went_on`
    whether it was not over then. `key` is its statement's, None unknown; `counted` says whether it
    is in an event yet.
    """

    process: int
    mode: str
    what: str
    waited_ms: float
    at_us: int
    session: int
    went_on: bool
    key: int | None = None
    counted: bool = False
    told_us: int = field(init=False)
    began_us: float = field(init=False)

    def __post_init__(self) -> None:
        """What is known from the first entry stays."""
        self.told_us = self.at_us
        self.began_us = self.at_us - self.waited_ms * 1e3

    def is_of(self, later: "Wait") -> bool:
        """Whether a later entry is of this wait, which is open.

        An end is of the lock that was waited for last; what goes on began at the same time.
        """
        if (self.mode, self.what) != (later.mode, later.what):
            return False
        whole = self.told_us % 1_000_000 == 0 and later.told_us % 1_000_000 == 0
        apart_us = abs(self.began_us - later.began_us)
        return not later.went_on or apart_us <= (1_000_000 if whole else _TOLERANCE_US)


def lock_wait(message: str, at_us: int, session: int) -> Wait | None:
    """The wait that a message tells of, None if it is no such message."""
    if not message.startswith(("process ", "recovery ")):
        return None
    if found := _WAIT.match(message):
        process, verb, mode, what, waited = found.groups()
        mode = mode if mode in _MODES else "other"
        what = " ".join(_NUMBERS.sub("", what).split())
        return Wait(int(process), mode, what, float(waited), at_us, session, verb in _GOES_ON)
    if found := _RECOVERY.match(message):
        verb, waited, what = found.groups()
        return Wait(_STARTUP, "recovery", what, float(waited), at_us, session, verb in _GOES_ON)
    return None


@changing
class LockWaits:
    """The waits of one input (or a part of one), by process: a process waits for one lock at most.

    `open` waits go on, `sessions` has the process of a session that waits; `heads` are the first of
    each process, `seen` the processes met.
    """

    open: dict[int, Wait] = field(default_factory=dict)
    sessions: dict[int, int] = field(default_factory=dict)
    heads: dict[int, Wait] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def take(self, wait: Wait, find: Find) -> Wait:
        """Count what an entry tells of; the wait as it is followed, for its statement."""
        process, goes_on = wait.process, wait.went_on
        before = self.open.get(process)
        if before is not None and before.is_of(wait):
            _grow(before, wait, find)
            wait = before
        elif process not in self.seen and len(self.seen) < _PROCESSES:
            self.seen.add(process)
            self.heads[process] = wait
        else:
            _count(wait, find)
        self._close(process)
        if goes_on and process in self.seen:
            self.open[process] = wait
            self.sessions[wait.session] = process
        return wait

    def _close(self, process: int) -> None:
        wait = self.open.pop(process, None)
        if wait is not None:
            self.sessions.pop(wait.session, None)

    def failed(self, session: int) -> Wait | None:
        """The wait that a session was in when its statement failed, None after the first failure.

        It stays open: only what another entry says of it tells its end.
        """
        process = self.sessions.pop(session, None)
        return None if process is None else self.open.get(process)

    def follow(self, later: "LockWaits", find: Find, rename: Rename) -> None:
        """Take in the waits of the bytes behind; their events were merged before."""
        waits = {id(wait): wait for wait in (*later.heads.values(), *later.open.values())}
        for wait in waits.values():
            wait.key = None if wait.key is None else rename(wait.key)
        for process, head in later.heads.items():
            before = self.open.get(process)
            if before is not None and before.is_of(head):
                _grow(before, head, find)
                if head.key is not None:
                    came_from(before, head.key, find)
                if later.open.get(process) is head:
                    later.open[process] = before
            elif process in self.seen or len(self.seen) >= _PROCESSES:
                _count(head, find)
            else:
                self.heads[process] = head
        for process in later.seen:
            self._close(process)
        self.open |= later.open
        self.sessions |= {wait.session: process for process, wait in later.open.items()}
        self.seen |= later.seen

    def finish(self, find: Find) -> None:
        """Nothing comes before: every head was a wait of its own."""
        for head in self.heads.values():
            _count(head, find)
        self.heads.clear()


def came_from(wait: Wait, key: int, find: Find) -> None:
    """The statement that waits, by its key; what is known already is not told again."""
    if wait.key is None:
        wait.key = key
        if wait.counted:
            event = find("lock-wait", wait.mode)
            event.statement(key, wait.told_us, {WAITED: wait.waited_ms})


def _count(wait: Wait, find: Find) -> None:
    wait.counted = True
    event = find("lock-wait", wait.mode)
    amounts = {WAITED: wait.waited_ms}
    event.happened(wait.told_us, amounts)
    event.part("object", wait.what).add(wait.told_us, amounts)
    if wait.key is not None:
        event.statement(wait.key, wait.told_us, amounts)


def _grow(before: Wait, now: Wait, find: Find) -> None:
    """The wait lasted longer than it was told of before."""
    if now.waited_ms <= before.waited_ms:
        return
    if before.counted:
        event = find("lock-wait", before.mode)
        tallies = [event, event.parts["object"].of(before.what)]
        if before.key is not None and event.statements is not None:
            tallies.append(event.statements.of(before.key))
        for tally in tallies:
            tally.measure(WAITED).amend(before.waited_ms, now.waited_ms)
    before.waited_ms, before.at_us = now.waited_ms, now.at_us
