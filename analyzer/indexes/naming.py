"""The text of CREATE INDEX: names that are legal, stable and free, identifiers quoted."""

import hashlib
from collections.abc import Sequence

from analyzer.model.catalog import Catalog
from analyzer.model.index_candidate import IndexKey
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.quoting import quote_identifier, quote_table

_MAX_BYTES = 63  # NAMEDATALEN - 1
_DIGEST_LENGTH = 8
_OTHER = regex(r"[^a-z0-9_]+")


@record
class IndexExtras:
    """What an index may have beside its keys: INCLUDE columns, and WITH parameters by name."""

    include: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


PLAIN = IndexExtras()


def index_name(
    table: str,
    keys: Sequence[IndexKey],
    predicate: str | None,
    catalog: Catalog | None,
    extras: IndexExtras = PLAIN,
    method: str = "btree",
) -> str:
    """`idx_<table>_<columns>`, the same for the same index on every run.

    Cut to 63 bytes with a digest where it would be longer, or where the plain name is taken.
    """
    exact = (table, *((key.expression or key.column) + (key.operator_class or "") for key in keys))
    plain = "_".join(["idx", table.rpartition(".")[2], *(key.column for key in keys)])
    name = _OTHER.sub("_", plain.lower())
    special = (
        predicate
        or extras != PLAIN
        or method != "btree"
        or any(key.expression or key.operator_class or key.descending for key in keys)
    )
    if not special and len(name) <= _MAX_BYTES and name not in _taken(catalog):
        return name
    digest = hashlib.blake2b(
        "\x1f".join((*exact, predicate or "", *_extra_texts(keys, extras, method))).encode(
            "utf-8", "replace"
        )
    )
    return f"{name[: _MAX_BYTES - _DIGEST_LENGTH - 1]}_{digest.hexdigest()[:_DIGEST_LENGTH]}"


def _extra_texts(keys: Sequence[IndexKey], extras: IndexExtras, method: str) -> list[str]:
    """What sets a special index apart from one of the same keys; nothing for a plain one."""
    down = [f"desc {place}" for place, key in enumerate(keys) if key.descending]
    pairs = [f"{name}={value}" for name, value in extras.parameters]
    methods = [] if method == "btree" else [method]
    return [*down, *extras.include, *pairs, *methods]


def create_statement(
    name: str,
    table: str,
    keys: Sequence[IndexKey],
    method: str,
    predicate: str | None,
    extras: IndexExtras = PLAIN,
) -> str:
    """One CREATE INDEX CONCURRENTLY statement on one line, with its semicolon."""
    using = "" if method == "btree" else f" USING {method}"
    where = f" WHERE {predicate}" if predicate else ""
    columns = ", ".join(_key(key) for key in keys)
    carried = ", ".join(quote_identifier(column) for column in extras.include)
    include = f" INCLUDE ({carried})" if carried else ""
    pairs = ", ".join(f"{name} = {value}" for name, value in extras.parameters)
    parameters = f" WITH ({pairs})" if pairs else ""
    return (
        f"CREATE INDEX CONCURRENTLY {quote_identifier(name)} ON {quote_table(table)}"
        f"{using} ({columns}){include}{parameters}{where};"
    )


def _key(key: IndexKey) -> str:
    text = f"({key.expression})" if key.expression else quote_identifier(key.column)
    text = f"{text} {key.operator_class}" if key.operator_class else text
    return f"{text} DESC" if key.descending else text


def _taken(catalog: Catalog | None) -> frozenset[str]:
    if catalog is None:
        return frozenset()
    return frozenset(index.name for table in catalog for index in table.indexes if index.name)
