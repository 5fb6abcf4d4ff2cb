"""What the search for loops finds in one slice."""

from dataclasses import field

from analyzer.detectors._links import Link
from analyzer.model.columns import Rows
from analyzer.model.statement import Predicate
from analyzer.records import changing

# What a unit of work looked up, each once, by the conditions that are equalities.
Values = frozenset[tuple[str | None, ...] | None]


@changing
class Pair:
    """A parent and a child statement (numbers) with every child row's parent row in a slice.

    `children`, `parents` and `roots` are row numbers, one per child execution: the child, the
    parent execution it follows, and the outermost parent of a nest. `parallel`: some children ran
    on other connections than their parent.
    """

    parent: int
    child: int
    link: Link
    lookups: tuple[Predicate, ...]
    children: Rows
    parents: Rows
    roots: Rows
    parallel: bool


@changing
class Groups:
    """Executions of one statement that repeat in units of work without a parent.

    `rows` are their row numbers, unit by unit: `sizes` of each in the unit `requests`. `distinct`
    is the largest number of different lookups in one (of parameter texts, where executions are
    identical), `needed` the sum of those texts over all units. `sure`: each is known to be of one
    request. `values` are what some of the units looked up.
    """

    statement: int
    requests: Rows
    rows: Rows
    sizes: Rows
    distinct: int
    needed: int = 0
    sure: bool = False
    values: frozenset[Values] = frozenset()


@changing
class Loops:
    """What a slice holds: pairs, lookups without a parent, identical repetitions."""

    pairs: list[Pair] = field(default_factory=list)
    lookups: list[Groups] = field(default_factory=list)
    repeated: list[Groups] = field(default_factory=list)
