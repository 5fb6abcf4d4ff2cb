"""The command line: one thin file per command. Libraries load when a command runs, not before."""

import atexit
import gc
import os
import sys
import threading
from importlib import import_module
from typing import NoReturn

import click

from analyzer import __version__
from analyzer.cli._failures import run_safely

__all__ = ["Commands", "cli", "main", "settle"]

_YOUNG_OBJECTS = 1_000_000


_COMMANDS = (
    "ack", "cache", "demo", "diff", "doctor", "history", "indexes", "jobs", "migrations", "nightly", "nplusone",
    "plans", "report", "schema", "scoreboard", "snapshot", "tables", "ticket", "top",
)  # fmt: skip


class Commands(click.Group):
    """Commands whose files are imported when they are asked for: a run is of one, `--help` of all."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """The names, in the order of `--help`."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, None if there is none."""
        if cmd_name in _COMMANDS and cmd_name not in self.commands:
            self.add_command(getattr(import_module(f"analyzer.cli.{cmd_name}"), cmd_name))
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: pg95 demo, then pg95 report /var/log/postgresql/. Every command has examples in its --help.",
)
@click.version_option(__version__, prog_name="pg95")
def cli() -> None:
    """Query performance analysis and N+1 detection for PostgreSQL.

    Reads PostgreSQL logs, application query logs, pg_stat_statements and EXPLAIN plans; tells
    whether queries are within P95 < 100 ms, what breaks it, and what to change.

    Exit codes: 0 fine, 1 a --fail-on condition holds, 2 usage, 3 nothing could be read.
    """


def main() -> NoReturn:
    """Entry point of `pg95`."""
    settle()
    _leave(run_safely(cli))


def _leave(code: int) -> NoReturn:
    """End the process as `sys.exit` does, but leave what it holds to the system: freeing that takes 2 % of a run."""
    if threading.active_count() > 1:  # they would be cut off
        sys.exit(code)
    atexit._run_exitfuncs()  # noqa: SLF001 - as the interpreter does; nothing else asks for it
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):  # None where they were closed
            stream.flush()
    except OSError:  # the interpreter tells of it, and has an exit code for it
        sys.exit(code)
    os._exit(code)


def settle() -> None:
    """Set what a short-lived process that makes many objects runs best with."""
    # NumPy's OpenBLAS starts a thread for each core, and they spin for a tenth of a second.
    # Nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Hardly anything here is cyclic garbage, and the collector walks all young objects for every
    # 700 new ones: syntax trees and plans alone are a thousand times that.
    gc.set_threshold(_YOUNG_OBJECTS)
