"""What `pg95 schema` and `pg95 migrations` found, as plain JSON values: what every view renders."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from analyzer import __version__
from analyzer.model.drift import Difference
from analyzer.model.migration import Danger, MigrationState

SCHEMA_VERSION = 1
BROKEN = frozenset({"failed", "edited", "missing"})


def schema_document(
    *,
    files: Sequence[str],
    database: str,
    differences: Sequence[Difference],
    migrations: Sequence[MigrationState] | None,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The document of `pg95 schema`.

    `in_sync` is whether schema and database say the same; migrations have a say of their own:
    `migrations_in_order`, None where nothing is known of them.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "pg95", "version": __version__},
        "schema": list(files),
        "database": database,
        "in_sync": not differences,
        "differences": [asdict(one) for one in differences],
        "migrations_in_order": in_order(migrations),
        "migrations": None if migrations is None else [state_part(one) for one in migrations],
        "warnings": list(warnings),
    }


def migrations_document(
    *,
    folder: str,
    database: str | None,
    states: Sequence[MigrationState] | None,
    checked: Sequence[str],
    dangers: Sequence[Danger],
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The document of `pg95 migrations`: states (None without a server), and dangers of what was checked."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "pg95", "version": __version__},
        "folder": folder,
        "database": database,
        "migrations_in_order": in_order(states),
        "migrations": None if states is None else [state_part(one) for one in states],
        "checked": list(checked),
        "dangers": [asdict(one) for one in dangers],
        "warnings": list(warnings),
    }


def in_order(migrations: Sequence[MigrationState] | None) -> bool | None:
    """Whether no migration failed, was edited after it was applied, or lost its file."""
    if migrations is None:
        return None
    return not any(one.status in BROKEN for one in migrations)


def state_part(state: MigrationState) -> dict[str, Any]:
    """A migration's state with its time in ISO 8601."""
    fields = asdict(state)
    started = fields["started"]
    fields["started"] = started.isoformat() if isinstance(started, datetime) else None
    return fields
