"""What would help against trouble in a plan, said by detectors; advice/remedies.py writes the code.

Names in them are unquoted and come from plans: they become SQL only through sql/quoting.py.
"""

from analyzer.model.evidence_parts import ColumnCondition
from analyzer.records import record


@record
class Setting:
    """Another value of a setting, first for the one transaction that runs the statement.

    `value` is put into quotes; `title` says what it is for.
    """

    name: str
    value: str
    title: str
    risk: str


@record
class Analyze:
    """Statistics of a table are gathered anew."""

    table: str


@record
class ExtendedStatistics:
    """Statistics on columns that depend on each other."""

    table: str
    columns: tuple[str, ...]


@record
class Vacuum:
    """A table is vacuumed now, and sooner from then on. `why` goes into the title."""

    table: str
    why: str
    full: bool = False


@record
class WantedIndex:
    """An index that finds what a scan looks for; candidates.py makes it, or says why none helps.

    `rows_read`, `rows_kept` are over all loops, of `scans` passes; `cost_ms` is what it costs now.
    """

    table: str
    conditions: tuple[ColumnCondition, ...]
    rows_read: float
    rows_kept: float
    scans: float
    cost_ms: float


@record
class VectorIndex:
    """An index for nearest neighbours (pgvector): `operator_class` goes with the distance used.

    `rows` are those that were compared, `in_table` (0: the same) those that the index will hold, `wanted` is the LIMIT (0
    where it is not known), `dimensions` are the vectors', and `filtered_by` the columns of the search's filter.
    """

    table: str
    column: str
    operator_class: str
    rows: float
    in_table: float = 0.0
    wanted: float = 0.0
    dimensions: int | None = None
    filtered_by: tuple[str, ...] = ()


@record
class VectorFilter:
    """What serves the filter of a search by distance, which an index for distances applies afterwards.

    `column` is what distances are of, `operator_class` goes with the distance.
    """

    table: str
    columns: tuple[str, ...]
    column: str
    operator_class: str


@record
class Rewrite:
    """Another text of the statement, or a look to take: `text` is SQL, `kind` as Recommendation's."""

    title: str
    text: str
    risk: str
    kind: str = "rewrite"


Remedy = (
    Setting
    | Analyze
    | ExtendedStatistics
    | Vacuum
    | WantedIndex
    | VectorIndex
    | VectorFilter
    | Rewrite
)
