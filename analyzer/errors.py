"""The errors that pg95 raises on purpose; each carries what happened and what to do about it."""

import pickle
import traceback


class AnalyzerError(Exception):
    """Something the user can act on: the message names the thing and the remedy."""


class InputError(AnalyzerError):
    """An input could not be read, or nothing in it was what it should be."""


class ServerError(AnalyzerError):
    """A PostgreSQL server could not be reached, or refused what was asked."""


class UsageError(AnalyzerError):
    """The options contradict each other or have no meaning together."""


class StoreError(AnalyzerError):
    """A history cannot be opened, read or written; or somebody else is writing it."""


class WhatIfError(AnalyzerError):
    """A planner cannot say what one statement or index would cost; the others go on."""


def portable(error: BaseException) -> BaseException:
    """An error as another process can raise it, with where it came from; one that cannot be sent is told in words."""
    try:
        sent: BaseException = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - whatever it is that does not go through
        sent = RuntimeError(f"{type(error).__name__}: {error}")
    sent.add_note(f"in a worker process:\n{''.join(traceback.format_exception(error))}")
    return sent
