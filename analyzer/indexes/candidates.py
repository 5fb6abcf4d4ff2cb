"""Index candidates by rule, from a scan that reads much and keeps little.

The rule of column order: columns compared for equality first (the more selective ones in front,
where statistics tell), then what the statement sorts by, then one range. `IS NULL` and booleans
become the predicate of a partial index when there is a key beside them. Where no btree can serve:
GIN for containment and full text, trigrams for LIKE '%x%'.
"""

from collections.abc import Sequence

from analyzer.indexes.existing import made_superfluous, serving
from analyzer.indexes.naming import create_statement, index_name
from analyzer.indexes.sizes import btree_bytes, distinct_values
from analyzer.model.catalog import Catalog, Table
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.evidence_parts import ColumnCondition
from analyzer.model.index_candidate import IndexCandidate, IndexKey, NoCandidate
from analyzer.model.remedy import WantedIndex
from analyzer.sql.quoting import quote_identifier

MAX_WIDTH = 3
TRIGRAMS = "CREATE EXTENSION IF NOT EXISTS pg_trgm;"
_PREDICATES = {"is null": "{} IS NULL", "is true": "{}", "is false": "NOT {}"}
_NO_BTREE = ("json", "xml", "point", "polygon", "box", "circle", "path", "line", "lseg", "vector")
_SET_OPERATORS = frozenset({"@>", "<@", "&&"})
_JSON_OPERATORS = frozenset({"@>", "?", "?|", "?&"})
_TRIGRAM_OPERATORS = frozenset({"like", "ilike", "~", "~*"})


def candidate_for_scan(
    evidence: SeqScanEvidence | WantedIndex,
    catalog: Catalog | None = None,
    *,
    max_width: int = MAX_WIDTH,
) -> IndexCandidate | NoCandidate:
    """The index that the scan asks for, or why there is none.

    Args:
        evidence: what the detector found, or what the detector of another trouble wants.
        catalog: tables with keys, indexes, types, row estimates and write counts, where known.
        max_width: the most key columns.
    """
    table = catalog.table(evidence.table) if catalog is not None else None
    keys, predicate = _btree_keys(evidence.conditions, table, _rows(evidence, table), max_width)
    method = "btree"
    if not keys:
        method, keys = _inverted_keys(evidence.conditions, table)
    if not keys:
        return NoCandidate(_why_none(evidence.conditions))
    if table is not None:
        there = serving(table, keys, method, predicate)
        if there is not None:
            return NoCandidate(
                f"{there.label} on ({', '.join(there.columns)}) is there already and was not used",
                existing=there.label,
            )
    return _candidate(evidence, table, keys, method, predicate, catalog)


def _rows(evidence: SeqScanEvidence | WantedIndex, table: Table | None) -> int:
    """Rows of the table: the catalog's estimate, else what one pass of the scan read."""
    if table is not None and table.rows:
        return table.rows
    return max(1, round(evidence.rows_read / max(1.0, evidence.scans)))


def _btree_keys(
    conditions: Sequence[ColumnCondition], table: Table | None, rows: int, max_width: int
) -> tuple[tuple[IndexKey, ...], str | None]:
    """Equality keys, the order, then one range; and the predicate that `IS NULL` and booleans make."""
    usable = [c for c in conditions if _is_usable(c, table)]
    equal = [c for c in usable if c.kind == "equality" and c.operator not in _PREDICATES]
    ranges = [c for c in usable if c.kind == "range"]
    tests = [c for c in usable if c.operator in _PREDICATES]
    equal.sort(key=lambda c: -_selectivity(c, table, rows))
    keys = _without_repeats([_key(c, "equality") for c in equal])[:max_width]
    taken = {key.column for key in keys if not key.expression}
    order = [_key(c, "sort") for c in conditions if c.kind == "sort" and c.column not in taken]
    keys = [*keys, *order][: max(max_width, len(order))] if order else keys
    taken |= {key.column for key in keys if not key.expression}
    span = next((c for c in ranges if c.column not in taken), None)
    if span is not None and len(keys) < max_width:
        keys.append(_key(span, "range"))
    if not keys:  # nothing else to find rows by: the tested column itself
        return tuple(_without_repeats([_key(c, "equality") for c in tests])[:1]), None
    parts = [_PREDICATES[c.operator].format(quote_identifier(c.column)) for c in tests]
    return tuple(keys), " AND ".join(dict.fromkeys(parts)) or None


def _is_usable(condition: ColumnCondition, table: Table | None) -> bool:
    """Whether a btree key can be made of a condition: the column, or an expression on purpose.

    A cast or arithmetic around a column is a slip to be written otherwise, not to be indexed.
    """
    known = table.column(condition.column) if table is not None else None
    if condition.expression is None:
        fits = known is None or not known.type.lower().startswith(_NO_BTREE)
        return condition.sargable and fits and condition.kind in ("equality", "range")
    return (
        condition.immutable
        and condition.kind in ("equality", "range")
        and is_computed(condition.expression)
    )


def is_computed(expression: str) -> bool:
    """Whether an expression is a function or a JSON path, rather than a cast or arithmetic."""
    return not expression.startswith("(") or any(
        op in expression for op in (" -> ", " ->> ", " #>")
    )


def _selectivity(condition: ColumnCondition, table: Table | None, rows: int) -> float:
    """Distinct values of a column, 0 where unknown (a stable sort then keeps the filter's order)."""
    values = distinct_values(table, condition.column, rows) if table is not None else None
    return values or 0.0


def _key(condition: ColumnCondition, role: str) -> IndexKey:
    pattern = "text_pattern_ops" if condition.pattern == "prefix" else None
    return IndexKey(condition.column, role, condition.expression, pattern)


def _without_repeats(keys: Sequence[IndexKey]) -> list[IndexKey]:
    return list(dict.fromkeys(keys))


def _inverted_keys(
    conditions: Sequence[ColumnCondition], table: Table | None
) -> tuple[str, tuple[IndexKey, ...]]:
    """GIN or GiST for the first condition that asks for it."""
    for condition in conditions:
        if condition.expression is not None and not condition.immutable:
            continue
        known = table.column(condition.column) if table is not None else None
        kind = (known.type if known is not None else condition.value_type or "").lower()
        method, operator_class = _inverted(condition, kind)
        if method:
            return method, (
                IndexKey(condition.column, "contains", condition.expression, operator_class),
            )
    return "btree", ()


def _inverted(condition: ColumnCondition, kind: str) -> tuple[str, str | None]:
    """Method and operator class by operator and type, ("", None) where none is known to serve."""
    operator = condition.operator
    found: tuple[str, str | None] = ("", None)
    if operator in _TRIGRAM_OPERATORS:
        found = ("gin", "gin_trgm_ops")
    elif operator == "@@":
        found = ("gin", None)
    elif kind == "jsonb" and operator in _JSON_OPERATORS:
        found = ("gin", "jsonb_path_ops" if operator == "@>" else None)
    elif operator in _SET_OPERATORS and kind.endswith("[]"):
        found = ("gin", None)
    elif operator in _SET_OPERATORS and kind.endswith("range"):
        found = ("gist", None)
    return found


def _why_none(conditions: Sequence[ColumnCondition]) -> str:
    wrapped = [c for c in conditions if c.expression is not None]
    if wrapped:
        return (
            f"the condition wraps {wrapped[0].column} in {wrapped[0].expression}: written so that the "
            "column stands alone it could use an index"
        )
    operators = ", ".join(dict.fromkeys(c.operator for c in conditions)) or "no comparison"
    return f"no index type serves {operators} here"


def _candidate(
    evidence: SeqScanEvidence | WantedIndex,
    table: Table | None,
    keys: tuple[IndexKey, ...],
    method: str,
    predicate: str | None,
    catalog: Catalog | None,
) -> IndexCandidate:
    name_of_table = table.name if table is not None else evidence.table
    name = index_name(name_of_table, keys, predicate, catalog)
    columns = [key.column for key in keys]
    size = btree_bytes(table, columns, _rows(evidence, table)) if method == "btree" else None
    trigrams = any(key.operator_class == "gin_trgm_ops" for key in keys)
    return IndexCandidate(
        table=name_of_table,
        keys=keys,
        method=method,
        name=name,
        sql=create_statement(name, name_of_table, keys, method, predicate),
        rule=_rule(keys, predicate),
        trade_off=trade_off(table, keys, size, method),
        predicate=predicate,
        bytes=size,
        prerequisites=(TRIGRAMS,) if trigrams else (),
    )


def _rule(keys: Sequence[IndexKey], predicate: str | None) -> str:
    words = {
        "equality": "compared for equality",
        "range": "compared as a range",
        "contains": "searched inside",
        "sort": "sorted by",
    }
    parts = [f"{key.expression or key.column} is {words[key.role]}" for key in keys]
    text = ", then ".join(parts)
    return f"{text}; partial: only rows where {predicate}" if predicate else text


def trade_off(
    table: Table | None, keys: Sequence[IndexKey], size: int | None, method: str = "btree"
) -> str:
    """What the index costs, in sentences."""
    columns = ", ".join(dict.fromkeys(key.column for key in keys))
    parts = [
        f"Every INSERT writes one more index entry, and an UPDATE of {columns} can no longer be HOT"
    ]
    if table is not None and table.writes is not None:
        parts.append(f"{table.writes:,} rows of the table were written since its statistics began")
    if size is not None:
        parts.append(f"about {size / 2**20:.1f} MB on disk (estimate)")
    if method == "gin":
        parts.append("GIN entries cost more to write than a btree's")
    superfluous = made_superfluous(table, keys) if table is not None and method == "btree" else ()
    if superfluous:
        parts.append(f"makes {', '.join(superfluous)} superfluous")
    parts.append("CONCURRENTLY does not block writers and cannot run inside a transaction")
    return "; ".join(parts) + "."
