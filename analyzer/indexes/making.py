"""Index candidates written out: name, statement, and the sentence that says why."""

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.indexes.naming import IndexExtras, create_statement, index_name
from analyzer.model.catalog import Catalog, Table
from analyzer.model.index_candidate import IndexCandidate, IndexKey

TRIGRAMS = "CREATE EXTENSION IF NOT EXISTS pg_trgm;"
_WORDS = {
    "equality": "compared for equality",
    "range": "compared as a range",
    "contains": "searched inside",
    "sort": "sorted or grouped by",
    "distance": "sorted by distance",
}


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes candidates of one table."""

    table: Table
    catalog: Catalog | None

    def make(
        self,
        keys: Sequence[IndexKey],
        *,
        method: str = "btree",
        include: Sequence[str] = (),
        predicate: str | None = None,
        parameters: tuple[tuple[str, str], ...] = (),
    ) -> IndexCandidate:
        """The candidate with these keys."""
        keys = tuple(keys)
        extras = IndexExtras(tuple(include), parameters)
        name = index_name(self.table.name, keys, predicate, self.catalog, extras, method)
        trigrams = any(key.operator_class == "gin_trgm_ops" for key in keys)
        return IndexCandidate(
            table=self.table.name,
            keys=keys,
            method=method,
            name=name,
            sql=create_statement(name, self.table.name, keys, method, predicate, extras),
            rule=rule_of(keys, predicate, extras.include),
            trade_off="",
            predicate=predicate,
            prerequisites=(TRIGRAMS,) if trigrams else (),
            include=extras.include,
            parameters=parameters,
        )


def rule_of(keys: Sequence[IndexKey], predicate: str | None, include: Sequence[str]) -> str:
    """Why the keys stand as they do, in a sentence."""
    parts = [f"{key.expression or key.column} is {_WORDS[key.role]}" for key in keys]
    text = ", then ".join(parts)
    if include:
        text += f"; carries {', '.join(include)}, so that the table need not be visited"
    return f"{text}; partial: only rows where {predicate}" if predicate else text
