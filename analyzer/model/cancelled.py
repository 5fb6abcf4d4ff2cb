"""Executions that were cancelled before they were done: who asked for them, and what is known of their time."""

from collections.abc import Sequence

from analyzer.records import record

MOST_KEPT = 100_000  # of one run; those beyond are counted without time and speaker


@record
class Cancelled:
    """One cancelled execution of input number `source`, as its log tells of it.

    `speaker` are numbers of session, database, user and application; `key` is the statement's, `comment`
    that of its comment (-1 none). `reason` is what cancelled it (the code of the event). It took at least
    `at_least_ms` (0: nothing is known); `whole` says that this is from its beginning on.
    """

    source: int
    at_us: int
    speaker: tuple[int, ...]
    key: int
    comment: int
    reason: str
    at_least_ms: float
    whole: bool


@record
class StatementTimeouts:
    """statement_timeout as a server gives it to new sessions (ms, 0 for none).

    `server_ms` is that of its configuration files (None: may not be read), `own` what roles and
    databases have of their own: (role or None, database or None, ms).
    """

    server_ms: float | None
    own: Sequence[tuple[str | None, str | None, float]]

    def of(self, database: str | None, user: str | None) -> tuple[float, str] | None:
        """What a session of a user begins with, and whose setting that is; None where that is not known."""
        if self.own:
            if database is None or user is None:
                return None  # the log does not tell whether one of these is meant
            for (
                role,
                base,
                whose,
            ) in (  # as PostgreSQL prefers them (process_settings in postinit.c)
                (user, database, f"of role {user} in database {database}"),
                (user, None, f"of role {user}"),
                (None, database, f"of database {database}"),
                (None, None, "of all roles (ALTER ROLE ALL)"),
            ):
                for name, theirs, ms in self.own:
                    if (name, theirs) == (role, base):
                        return ms, whose
        return None if self.server_ms is None else (self.server_ms, "of the server")
