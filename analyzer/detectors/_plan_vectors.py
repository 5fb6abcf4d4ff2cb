"""Distances of pgvector in plan texts: operators, operator classes, the column compared.

<=> cosine   <-> Euclidean (l2)   <#> negative inner product   <+> l1   <~> Hamming   <%> Jaccard
"""

from analyzer.detectors._plan_view import PlanView
from analyzer.model.catalog import Index
from analyzer.model.plan import PlanNode
from analyzer.patterns import regex
from analyzer.records import record

CLASSES = {
    "<=>": "cosine_ops",
    "<->": "l2_ops",
    "<#>": "ip_ops",
    "<+>": "l1_ops",
    "<~>": "hamming_ops",
    "<%>": "jaccard_ops",
}
METHODS = frozenset({"hnsw", "ivfflat"})
_TYPES = r"vector|halfvec|sparsevec|bit"
_COLUMN = r'(?:[^\W\d][\w$]*|"[^"]+")'
# A column, an operator, and a literal or parameter with its type: long literals are passed over.
_DISTANCE = regex(
    rf"\(?(?:{_COLUMN}\.)?(?P<column>{_COLUMN})\)?(?:::(?:{_TYPES})(?:\(\d+\))?)? "
    rf"(?P<operator><=>|<->|<#>|<\+>|<~>|<%>) (?P<value>'[^']*+'|\$\d+|\S{{1,80}}?)(?:::(?P<type>{_TYPES}))?"
    r"(?:\(\d+\))?(?=[\s)]|\Z)"
)
_VALUE = regex(r"'[^']*+'")


@record
class Distance:
    """`column operator value`; `plain`: nothing else is computed with it, `down`: descending."""

    column: str
    operator: str
    type: str
    plain: bool
    down: bool

    @property
    def operator_class(self) -> str:
        """The operator class whose index orders by this distance."""
        return f"{self.type}_{CLASSES[self.operator]}"


def distance_in(text: str) -> Distance | None:
    """The distance in a sort key or condition, None where there is none.

    `<->` is also an operator of trigrams and points: only with a value of one of pgvector's types
    it is taken for a distance of vectors, and the others too where a type is printed.
    """
    match = _DISTANCE.search(text) if "<" in text else None
    if match is None or (match["type"] is None and match["operator"] in ("<->", "<%>")):
        return None
    around = (text[: match.start()] + text[match.end() :]).strip()
    down = around.endswith(" DESC")
    rest = around.removesuffix(" DESC").removesuffix(" NULLS LAST").strip("() ")
    return Distance(
        match["column"].strip('"'),
        match["operator"],
        match["type"] or "vector",
        plain=not _VALUE.sub("", rest),
        down=down,
    )


def dimensions_in(text: str) -> int | None:
    """The dimensions of the vector that a sort key or condition compares with, None of a parameter."""
    match = _DISTANCE.search(text) if "<" in text else None
    value = match["value"] if match is not None else ""
    return value.count(",") + 1 if value.startswith("'[") and "," in value else None


def vector_indexes(node: PlanNode, view: PlanView, column: str) -> tuple[Index, ...]:
    """The nearest-neighbour indexes on a column, as far as the catalog is known."""
    table = view.catalog.table(node.relation) if view.catalog is not None else None
    return tuple(
        index
        for index in (table.indexes if table is not None else ())
        if index.method in METHODS and index.columns and column in index.columns[0]
    )


def class_of(index: Index) -> str:
    """An index's operator class; for a vector the default is Euclidean with ivfflat, none with hnsw."""
    named = index.operator_classes[0] if index.operator_classes else None
    return named or "vector_l2_ops"
