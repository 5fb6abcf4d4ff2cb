"""Exit codes, and failures told in a sentence: 0 fine, 1 --fail-on, 2 usage, 3 input or internal."""

import errno
import os
import sys
import traceback

import click

from analyzer.cli._say import say
from analyzer.errors import AnalyzerError, UsageError
from analyzer.model.lines import error_of

CONDITION = 1
USAGE = 2
FAILURE = 3
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def run_safely(command: click.Command) -> int:
    """Run a command as the program; give its exit code. Tracebacks are shown with PG95_DEBUG=1."""
    try:
        code = command.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough; nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (click.UsageError, UsageError) as error:
        return _usage(error)
    except Exception as error:  # noqa: BLE001 - the outermost place: every failure is told and has an exit code
        return _fail(_told(error))
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> str:
    """A failure in a sentence."""
    if isinstance(error, click.Abort):
        return "interrupted"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, AnalyzerError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        where = f" to {error.filename}" if error.filename else ""
        return (
            f"cannot write{where}: {error.strerror}; free some room, or write elsewhere (-o FILE)"
        )
    if os.environ.get("PG95_DEBUG"):
        traceback.print_exc()
    return (
        f"internal error, {error_of(f'{type(error).__name__}: {error}')}. This is a defect of pg95: run again "
        "with PG95_DEBUG=1 and report what it prints"
    )


def _usage(error: click.UsageError | UsageError) -> int:
    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(context.get_usage(), err=True)
        click.echo(f"Try '{context.command_path} --help' for help.", err=True)
    message = error.format_message() if isinstance(error, click.ClickException) else str(error)
    say(message)
    return USAGE


def _fail(message: str) -> int:
    say(message)
    return FAILURE
