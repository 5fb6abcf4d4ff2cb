"""The command line: one thin file per command. Libraries load when a command runs, not before."""

import gc
import os
import sys

import click

from analyzer import __version__
from analyzer.cli._failures import run_safely
from analyzer.cli.ack import ack
from analyzer.cli.cache import cache
from analyzer.cli.demo import demo
from analyzer.cli.diff import diff
from analyzer.cli.doctor import doctor
from analyzer.cli.history import history
from analyzer.cli.indexes import indexes
from analyzer.cli.jobs import jobs
from analyzer.cli.migrations import migrations
from analyzer.cli.nightly import nightly
from analyzer.cli.nplusone import nplusone
from analyzer.cli.plans import plans
from analyzer.cli.report import report
from analyzer.cli.schema import schema
from analyzer.cli.scoreboard import scoreboard
from analyzer.cli.snapshot import snapshot
from analyzer.cli.tables import tables
from analyzer.cli.ticket import ticket
from analyzer.cli.top import top

__all__ = ["cli", "main", "settle"]

_YOUNG_OBJECTS = 1_000_000


@click.group(
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


commands = (
    report,
    top,
    nplusone,
    plans,
    indexes,
    tables,
    snapshot,
    nightly,
    history,
    diff,
    doctor,
    schema,
    migrations,
    cache,
    jobs,
    scoreboard,
    ack,
    ticket,
    demo,
)
for command in commands:
    cli.add_command(command)


def main() -> None:
    """Entry point of `pg95`."""
    settle()
    code = run_safely(cli)
    # While it ends, the interpreter would look through all that is left for cycles, several times.
    gc.freeze()
    sys.exit(code)


def settle() -> None:
    """Set what a short-lived process that makes many objects runs best with."""
    # NumPy's OpenBLAS starts a thread for each core, and they spin for a tenth of a second.
    # Nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Hardly anything here is cyclic garbage, and the collector walks all young objects for every
    # 700 new ones: syntax trees and plans alone are a thousand times that.
    gc.set_threshold(_YOUNG_OBJECTS)
