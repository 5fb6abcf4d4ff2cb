"""Locks that are held for long: the server's settings that show and bound it."""

from analyzer.model.finding import Recommendation

_SHOW = """\
-- each wait of more than a second then is in the log, with who holds the lock
ALTER SYSTEM SET log_lock_waits = on;
SELECT pg_reload_conf();"""

_BOUND = """\
ALTER SYSTEM SET idle_in_transaction_session_timeout = '60s';
SELECT pg_reload_conf();"""


def recommend_lock_log() -> tuple[Recommendation, ...]:
    """See who waits, before the transaction is taken apart."""
    return (
        Recommendation(
            kind="setting",
            language="sql",
            title="Read before the first write; and see who waits for these locks",
            text=_SHOW,
            verified_by="rule",
            risk="more log entries where locks are waited for",
        ),
    )


def recommend_timeout() -> tuple[Recommendation, ...]:
    """A net under transactions that are forgotten."""
    return (
        Recommendation(
            kind="setting",
            language="sql",
            title="Commit before what takes its time; and bound what is forgotten",
            text=_BOUND,
            verified_by="rule",
            risk="a session that rests longer in a transaction is ended and its work rolled back",
        ),
    )
