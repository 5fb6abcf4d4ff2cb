"""`pg95 snapshot`: a live server's counters, kept for a window later."""

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._say import say, show
from analyzer.cli._server import insist_on_server, server_options
from analyzer.errors import UsageError
from analyzer.report.json_text import json_text

if TYPE_CHECKING:
    from analyzer.model.snapshot import Snapshot

_MB = 1_000_000


@click.command(
    epilog="""\b
Examples:
  pg95 snapshot --dsn service=prod                 into the history
  pg95 snapshot --dsn service=prod -o monday.json.zst
  pg95 snapshot --live -o before.json; ./load-test; pg95 snapshot --live -o after.json
  pg95 report before.json after.json               what was counted in between
  pg95 report app.log before.json after.json       a log, and the counters of its window
  pg95 snapshot --live --with-statistics -o prod.json.zst; pg95 indexes app.log --what-if clone --statistics prod.json.zst
""",
)
@server_options
@click.option(
    "--database",
    "databases",
    multiple=True,
    metavar="NAME",
    help="Also look at the tables and indexes of this one; several are allowed. [default: all that the role may connect to]",
)
@click.option(
    "--history",
    metavar="PATH",
    help="The history that keeps it: a file, or postgresql://…. [default: the user's own, unless -o is given]",
)
@click.option(
    "-o", "--output", metavar="FILE", help="Write it here: JSON, packed if it ends in .zst."
)
@click.option(
    "--with-statistics",
    is_flag=True,
    help="Also write the schema and the planner's statistics of this database into -o, for --what-if clone. They hold values of the data: the most common ones, and bounds.",
)
@click.option("--format", type=click.Choice(("table", "json")), default="table", show_default=True)
def snapshot(**given: Any) -> None:
    """Take a snapshot: pg_stat_statements, the use of tables and indexes, sizes, settings.

    Nothing is changed on the server: all transactions are read-only and have timeouts. Where the
    history has an earlier one, the window between them is summed up. Two snapshots in files, given
    to pg95 report, are the window between them (docs/snapshots.md).
    """
    insist_on_server(given)
    if given["with_statistics"] and not given["output"]:
        raise UsageError(
            "--with-statistics needs -o FILE: statistics hold values of the data, and no history keeps them"
        )
    told = _into_history(given) if given["history"] or not given["output"] else _into_file(given)
    for warning in told["warnings"]:
        say(f"warning: {warning}")
    if given["format"] == "json":
        click.echo(json_text(told))
    else:
        show(_sentence(told))


def _into_history(given: dict[str, Any]) -> dict[str, Any]:
    """Take a snapshot, keep it, and tell of it and of the window since the last one."""
    from analyzer.history import open_store
    from analyzer.model.snapshot import ServerIdentity, TextKey
    from analyzer.sources.postgres.snapshot import take_snapshot

    with open_store(given["history"]) as store:
        last: Snapshot | None = None

        def known(server: ServerIdentity) -> dict[TextKey, str]:
            nonlocal last
            with store.reading() as reader:
                last = reader.latest_snapshot(server.address)
            return last.texts() if last else {}

        taken = take_snapshot(given["dsn"], databases=given["databases"] or None, known=known)
        with store.transaction() as night:
            night.add_snapshot(taken)
        told = _told(taken) | {"history": store.name, "window": _window(last, taken)}
    return told | (_written(taken, given) if given["output"] else {})


def _into_file(given: dict[str, Any]) -> dict[str, Any]:
    from analyzer.sources.postgres.snapshot import take_snapshot

    taken = take_snapshot(given["dsn"], databases=given["databases"] or None)
    return _told(taken) | _written(taken, given)


def _written(taken: "Snapshot", given: dict[str, Any]) -> dict[str, Any]:
    """Write the snapshot's file, with statistics if they were asked for."""
    from dataclasses import replace
    from pathlib import Path

    from analyzer.sources.snapshot_file import write_snapshot

    told: dict[str, Any] = {"path": given["output"]}
    if given["with_statistics"]:
        from analyzer.sources.postgres.blueprint import read_blueprint

        planner = read_blueprint(given["dsn"])
        taken = replace(taken, blueprint=planner)
        told["planner_statistics"] = len(planner.columns)
        told["warnings"] = [*taken.warnings, *planner.warnings]
    return told | {"bytes": write_snapshot(taken, Path(given["output"]))}


def _window(last: "Snapshot | None", taken: "Snapshot") -> dict[str, Any] | None:
    """What was counted since the last snapshot, in short."""
    from analyzer.cli._times import iso
    from analyzer.workload.counter_window import window

    if last is None:
        return None
    found = window(last, taken)
    return {
        "from": iso(found.from_us),
        "to": iso(found.to_us),
        "statements": len(found.counters),
        "calls": sum(row.calls for row in found.counters),
        "total_ms": round(sum(row.total_ms for row in found.counters), 3),
        "complete": found.complete,
        "caveats": list(found.caveats),
    }


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
    since = f" since {told['counted_since']}" if told["counted_since"] else ""
    counted = f"{told['statements']} statements with {told['calls']:,} calls{since}"
    used = f"{told['tables']} tables and {told['indexes']} indexes"
    lines = [f"{told['server']}, {told['taken']}: {counted}, {used}."]
    if window := told.get("window"):
        lines.append(
            f"Since the last one ({window['from']}): {window['calls']:,} calls of "
            f"{window['statements']} statements, {window['total_ms'] / 1000:,.1f} s."
        )
        lines += [f"  ! {caveat}" for caveat in window["caveats"]]
    if "history" in told:
        lines.append(f"Kept in {told['history']}")
    if "path" in told:
        lines.append(f"Written to {told['path']} ({told['bytes'] / _MB:.2f} MB)")
    if "planner_statistics" in told:
        lines.append(
            f"With statistics of {told['planner_statistics']} columns, which hold values of the data: "
            "keep the file as you keep the data."
        )
    return "\n".join(lines)
