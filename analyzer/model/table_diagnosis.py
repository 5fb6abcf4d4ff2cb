"""What a table's figures say before any advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TableNote:
    """One thing that stands out: `kind` names it, `severity` is as of findings, `text` says it in figures.

    `sql` is what helps, where that is one statement; `bytes` what it gives back, about.
    """

    kind: str
    severity: str
    text: str
    sql: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class TableDiagnoses:
    """The notes by table. `every`: all tables are to be told of, not only those that the input names."""

    notes: Mapping[str, Sequence[TableNote]] = field(default_factory=dict)
    every: bool = False
