"""Index candidates written out: name, statement, and the sentence that says why."""

from collections.abc import Sequence
from dataclasses import replace

from analyzer.indexes.naming import IndexExtras, create_statement, index_name
from analyzer.indexes.sizes import index_bytes
from analyzer.model.catalog import Catalog, Table
from analyzer.model.index_candidate import Constant, IndexCandidate, IndexKey
from analyzer.records import record

TRIGRAMS = "CREATE EXTENSION IF NOT EXISTS pg_trgm;"
SCALARS_IN_GIST = "CREATE EXTENSION IF NOT EXISTS btree_gist;"
_WORDS = {
    "equality": "compared for equality",
    "range": "compared as a range",
    "contains": "searched inside",
    "sort": "sorted or grouped by",
    "distance": "sorted by distance",
}


@record
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
        constant: Constant | None = None,
    ) -> IndexCandidate:
        """The candidate with these keys; `constant` tells of the predicate's value."""
        keys = tuple(keys)
        extras = IndexExtras(tuple(include), parameters)
        named = named_predicate(predicate, constant)
        name = index_name(self.table.name, keys, named, self.catalog, extras, method)
        trigrams = any(key.operator_class == "gin_trgm_ops" for key in keys)
        mixed = method == "gist" and any(key.role == "equality" for key in keys)
        made = IndexCandidate(
            table=self.table.name,
            keys=keys,
            method=method,
            name=name,
            sql=create_statement(name, self.table.name, keys, method, predicate, extras),
            rule=rule_of(keys, predicate, extras.include),
            trade_off="",
            predicate=predicate,
            prerequisites=tuple(
                text for text, needed in ((TRIGRAMS, trigrams), (SCALARS_IN_GIST, mixed)) if needed
            ),
            include=extras.include,
            parameters=parameters,
            constant=constant,
        )
        if predicate is not None or self.table.rows is None:  # how many rows it holds is not known
            return made
        return replace(made, bytes=index_bytes(self.table, made, self.table.rows))


def named_predicate(predicate: str | None, constant: Constant | None) -> str | None:
    """What a name's digest is made of: never a value of the data, which could be tried out by it."""
    if constant is not None and constant.secret:
        return f"{constant.column} = ?{constant.number}"
    return predicate


def extras_of(candidate: IndexCandidate) -> IndexExtras:
    """What a candidate has beside its keys."""
    return IndexExtras(candidate.include, candidate.parameters)


def rule_of(keys: Sequence[IndexKey], predicate: str | None, include: Sequence[str]) -> str:
    """Why the keys stand as they do, in a sentence."""
    parts = [f"{key.expression or key.column} is {_WORDS[key.role]}" for key in keys]
    text = ", then ".join(parts)
    if include:
        text += f"; carries {', '.join(include)}, so that the table need not be visited"
    return f"{text}; partial: only rows where {predicate}" if predicate else text
