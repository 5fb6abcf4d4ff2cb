"""What index advice is asked for, and the statements that it is for."""

from collections.abc import Sequence
from typing import Literal

from analyzer.model.explain import Sample
from analyzer.model.what_if import PlannedStatement
from analyzer.records import record

MAX_SECONDS = 30.0
MAX_CALLS = 5000
# Of a page that nested loops read and the planner leaves out of a plan's cost. By random_page_cost it were four pages in
# sequence, and one where all of a table lies in memory.
CAREFUL_PAGE_PRICE = 1.5
WhatIfWay = Literal["hypopg", "clone", "none"]
SizeModel = Literal["estimate", "hypopg"]


@record
class IndexRequest:
    """How indexes are chosen.

    `what_if` None is hypopg where the server has it, else none. `budget_bytes` is for all new indexes
    together (None: any size). `size_model` says whose sizes count: pg95's estimates, or the what-if
    server's own. `write_cost` is what one index entry written counts, in the planner's units (1.0 is a page
    read in sequence), `page_price` so what a page counts that loops read and the planner does not see (indexes/loops.py).
    `queries` is a folder of .sql files that are the workload instead of the inputs. `without` are
    names of indexes that are not to be advised.
    """

    what_if: WhatIfWay | None = None
    budget_bytes: int | None = None
    size_model: SizeModel = "estimate"
    max_width: int = 3
    max_seconds: float = MAX_SECONDS
    max_calls: int = MAX_CALLS
    write_cost: float = 1.0
    page_price: float = 0.0
    queries: str | None = None
    without: frozenset[str] = frozenset()


@record
class FixedValue:
    """A column that a statement compares with the same value at every execution that was looked at.

    `table` is as the statement's text names it, None where that does not tell. `number` tells the values of
    one column apart, without telling them.
    """

    table: str | None
    column: str
    number: int


@record
class AdvisedStatement:
    """A statement of the workload that indexes are chosen for.

    `rows` are those that one execution writes (of a write). `constants` says that its literals are the same
    at every execution, and the team's own; `fixed` which values of a log's statement were.
    `name` is what it is called where that is not its shape (a file).
    """

    planned: PlannedStatement
    rows: float = 1.0
    constants: bool = False
    fixed: tuple[FixedValue, ...] = ()
    name: str | None = None


@record
class AdvisedWorkload:
    """All of them; `left_out` says of those that are not among them why, with how many."""

    statements: Sequence[AdvisedStatement]
    left_out: Sequence[tuple[str, int]] = ()

    @property
    def samples(self) -> list[Sample]:
        """The statements as they stand, to be run."""
        return [
            Sample(one.planned.shape_id, one.planned.sql, name=one.name) for one in self.statements
        ]
