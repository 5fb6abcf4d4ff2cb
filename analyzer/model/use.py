"""How tables and indexes were used over a stated time, on a server and maybe on its replicas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.model.snapshot import IndexUse, TableUse

_DAY_US = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class CountedUse:
    """From when to when use was counted, in µs since 1970 (UTC).

    `from_us` is None where nothing was ever reset: it is counted since the database was made, at least since
    the server's start. `between` tells a window between two snapshots from the time since a reset. A server
    `in_recovery` is a replica: it counts its own scans alone. `replicas` is how many stream from this one,
    `replicas_read` are addresses of those whose scans are counted with it. `counting` is track_counts.
    """

    from_us: int | None
    to_us: int
    started_us: int | None = None
    in_recovery: bool = False
    replicas: int = 0
    replicas_read: Sequence[str] = ()
    counting: bool = True
    between: bool = False

    @property
    def days(self) -> float | None:
        """How many days are known to be counted at least; None where that is not known."""
        begun = self.from_us if self.from_us is not None else self.started_us
        return None if begun is None else max(0.0, (self.to_us - begun) / _DAY_US)

    @property
    def replicas_missed(self) -> int:
        """How many replicas' scans are not in these figures."""
        return max(0, self.replicas - len(self.replicas_read))


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a database's tables (by name) and indexes (by table and name) over one time."""

    counted: CountedUse
    tables: Mapping[str, TableUse] = field(default_factory=dict)
    indexes: Mapping[tuple[str, str], IndexUse] = field(default_factory=dict)

    def scans(self, table: str, index: str | None) -> int | None:
        """How often an index was scanned; None where that is not known."""
        found = self.indexes.get((table, index or ""))
        return None if found is None else found.scans
