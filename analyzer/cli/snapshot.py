"""`pg95 snapshot`: a live server's counters, kept for a window later."""

import json
from typing import TYPE_CHECKING, Any

import click

from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.model.snapshot import Snapshot

_MB = 1_000_000


@click.command(
    epilog="""\b
Examples:
  pg95 snapshot --dsn service=prod -o monday.json.zst
  pg95 snapshot --live -o before.json; ./load-test; pg95 snapshot --live -o after.json
  pg95 report before.json after.json               what was counted in between
  pg95 report app.log before.json after.json       a log, and the counters of its window
""",
)
@click.option(
    "--dsn",
    envvar="PG95_DSN",
    help="The server (libpq URI or key=value). Put no password here: use ~/.pgpass, a service, or PGPASSWORD.",
)
@click.option("--live", is_flag=True, help="The server named by libpq's PG* variables.")
@click.option(
    "--database",
    "databases",
    multiple=True,
    metavar="NAME",
    help="Also look at the tables and indexes of this one; several are allowed. [default: all that the role may connect to]",
)
@click.option(
    "-o", "--output", metavar="FILE", help="Write it here: JSON, packed if it ends in .zst."
)
@click.option("--format", type=click.Choice(("table", "json")), default="table", show_default=True)
def snapshot(**given: Any) -> None:
    """Take a snapshot: pg_stat_statements, the use of tables and indexes, sizes, settings.

    Nothing is changed on the server: all transactions are read-only and have timeouts. Two snapshots
    of one server, given to pg95 report, are the window between them (docs/snapshots.md).
    """
    from pathlib import Path

    from analyzer.sources.postgres.snapshot import take_snapshot
    from analyzer.sources.snapshot_file import write_snapshot

    if not given["dsn"] and not given["live"]:
        raise UsageError("which server? Give --dsn, or --live for the one that PG* variables name")
    if not given["output"]:
        raise UsageError("give -o FILE (snapshot.json, snapshot.json.zst)")
    taken = take_snapshot(given["dsn"], databases=given["databases"] or None)
    written = write_snapshot(taken, Path(given["output"]))
    for warning in taken.warnings:
        click.echo(f"pg95: warning: {warning}", err=True)
    told = _told(taken) | {"path": given["output"], "bytes": written}
    if given["format"] == "json":
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo(_sentence(told))


def _told(taken: "Snapshot") -> dict[str, Any]:
    """What is in a snapshot, in numbers."""
    from analyzer.cli._times import iso

    return {
        "server": taken.server.address,
        "version": taken.server.version,
        "system_identifier": taken.server.system_identifier,
        "taken": iso(taken.taken_us),
        "counted_since": iso(taken.reset_us),
        "statements": len(taken.counters),
        "calls": sum(row.calls for row in taken.counters),
        "evictions": taken.evictions,
        "databases": len(taken.databases),
        "tables": len(taken.tables),
        "indexes": len(taken.indexes),
        "warnings": list(taken.warnings),
    }


def _sentence(told: dict[str, Any]) -> str:
    size = told["bytes"] / _MB
    since = f" since {told['counted_since']}" if told["counted_since"] else ""
    return (
        f"{told['server']}, {told['taken']}: {told['statements']} statements with {told['calls']:,} "
        f"calls{since}, {told['tables']} tables and {told['indexes']} indexes. "
        f"{told['path']} ({size:.1f} MB)"
    )
