"""What `pg95 doctor` looks at: a server's settings and privileges, before anyone judges them."""

from collections.abc import Mapping, Sequence
from dataclasses import field

from analyzer.model.snapshot import Snapshot
from analyzer.records import record


@record
class RoleRights:
    """The role that pg95 connects as, and what it may see.

    `may_read_statistics` without `reads_statistics`: it is a member of pg_read_all_stats, but does not
    inherit (NOINHERIT), so what it was granted does not help.
    """

    name: str
    superuser: bool
    reads_statistics: bool
    may_read_statistics: bool
    reads_settings: bool


@record
class ExtensionState:
    """pg_stat_statements in the connected database; names are None where it is not installed.

    `default_version` is the one that CREATE EXTENSION installs, None where its files are missing.
    `readable` tells that counters came, `why_not` is the warning where none did.
    """

    schema: str | None
    version: str | None
    default_version: str | None
    readable: bool
    why_not: str | None


@record
class Override:
    """A setting of one role, one database, or a role in a database (None: of all)."""

    role: str | None
    database: str | None
    name: str
    value: str


@record
class Examination:
    """A server as the doctor finds it.

    `snapshot` has its settings and counters. `sources` tells where each setting comes from
    (pg_settings.source). `marks` are what a provider leaves in its servers ("role rdsadmin").
    """

    snapshot: Snapshot
    database: str
    version_text: str
    role: RoleRights
    extension: ExtensionState
    sources: Mapping[str, str] = field(default_factory=dict)
    overrides: Sequence[Override] = ()
    marks: Sequence[str] = ()
    warnings: Sequence[str] = ()

    def setting(self, name: str) -> str | None:
        """A setting's value without its unit, None where the server has none or hides it."""
        value = self.snapshot.settings.get(name)
        if value is None:
            return None
        figure, _, unit = value.rpartition(" ")
        return figure if figure and unit in _UNITS else value


_UNITS = ("ms", "s", "min", "B", "kB", "8kB", "MB", "16MB")
