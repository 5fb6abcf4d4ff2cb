"""An index in Prisma's words: what schema.prisma can say of it, and what Prisma sees of it in a database.

As Prisma 7.10's own engine answers (`prisma migrate diff` on indexes of each kind, tests/prisma): it knows no
operator class of a btree, no INCLUDE (carried columns are keys to it), no order of NULLs, no WITH, and takes
types that it does not know (hnsw) for a btree; an index of which a declaration says as much it leaves alone.
Indexes with expressions it does not see at all, partial ones only with the preview feature `partialIndexes`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from analyzer.model.catalog import Catalog, Index
from analyzer.patterns import regex
from analyzer.records import record

PARTIAL_INDEXES = "partialIndexes"  # the preview feature, from Prisma 7.4 on

METHODS: Mapping[str, str] = {
    "btree": "BTree",
    "hash": "Hash",
    "gist": "Gist",
    "gin": "Gin",
    "spgist": "SpGist",
    "brin": "Brin",
}
# Operator classes that have a name in Prisma's schema language; of others it takes raw("…"). It compares
# by kind: jsonb_path_ops written raw would be dropped and made anew. Those of brin are left to raw:
# they are the default ones of their types, and Prisma takes any of them for what it reads.
_CLASSES: Mapping[str, Mapping[str, str]] = {
    "gist": {"inet_ops": "InetOps"},
    "gin": {"jsonb_ops": "JsonbOps", "jsonb_path_ops": "JsonbPathOps", "array_ops": "ArrayOps"},
    "spgist": {"text_ops": "TextOps"},
}


_MAX_NAME_BYTES = 63  # PostgreSQL's NAMEDATALEN - 1
_NAME = regex(r"[A-Za-z][A-Za-z0-9_]*\Z")
_UNREADABLE = "?"  # what stands for an expression that could not be printed (index_texts.py)


@record
class Declaration:
    """What stands in schema.prisma for an index.

    `line` is the attribute of the model, None where there is to be none: `why_not` says why, and what
    Prisma then makes of the index. `beyond` is what of the index the line does not say: that is in the SQL of
    a migration alone.
    """

    line: str | None
    beyond: tuple[str, ...] = ()
    why_not: str | None = None


def declaration(
    index: Index, fields: Mapping[str, str], *, partial: bool | None = None
) -> Declaration:
    """The line of schema.prisma for an index, or why there is none.

    Args:
        index: the index; without a name Prisma makes one, else `map:` gives it.
        fields: the model's fields by column.
        partial: whether the schema has the preview feature `partialIndexes`; None where that is not known.
    """
    if any(not is_column(key) for key in index.columns):
        return Declaration(
            None,
            ("an expression",),
            "Prisma's schema cannot say an expression, and Prisma does not see such an index: the SQL of a "
            "migration alone makes it, and no migration drops it",
        )
    unnamed = [
        key for key in (*index.columns, *index.include) if not _NAME.match(fields.get(key, key))
    ]
    if unnamed:
        return Declaration(None, (), f"no field of the model is the column {unnamed[0]!r}")
    if index.predicate and not partial:
        line = index_line(index, fields)
        when = "without" if partial is False else "unless the schema turns on"
        return Declaration(
            None,
            ("a condition",),
            f"{when} the preview feature {PARTIAL_INDEXES} (Prisma 7.4) Prisma neither takes a condition nor sees a "
            "partial index: the SQL of a migration alone makes it, and no migration drops it (first releases of 7.4 "
            f"did). With the feature it has to be declared: {line}",
        )
    return Declaration(index_line(index, fields), beyond(index))


def default_name(table: str, columns: tuple[str, ...], suffix: str) -> str:
    """The name that Prisma gives a key or index: table and columns, cut so that it fits."""
    name = "_".join((table, *columns)).encode("utf-8", "replace")
    return name[: _MAX_NAME_BYTES - len(suffix)].decode(errors="ignore") + suffix


def partial_known(catalog: Catalog | None) -> bool | None:
    """Whether the schema behind a catalog can declare partial indexes, None where there is none."""
    known = catalog is not None and catalog.previews is not None
    return PARTIAL_INDEXES in (catalog.previews or ()) if catalog is not None and known else None


def index_line(index: Index, fields: Mapping[str, str]) -> str:
    """An index as an attribute of a model, as near as Prisma can say it.

    Args:
        index: the index; expressions in it are left out, so ask `declaration` where there may be some.
        fields: the model's fields by column.
    """
    seen = as_prisma_reads(index)
    parts = [_field(seen, place, fields) for place in range(len(seen.columns))]
    options = [f"[{', '.join(parts)}]"]
    options += [f"type: {METHODS[seen.method]}"] if seen.method != "btree" else []
    options += [f'where: raw("{escaped(seen.predicate)}")'] if seen.predicate else []
    options += [f'map: "{escaped(seen.name)}"'] if seen.name else []
    return f"@@{'unique' if seen.unique else 'index'}({', '.join(options)})"


def _field(index: Index, place: int, fields: Mapping[str, str]) -> str:
    name = fields.get(index.columns[place], index.columns[place])
    options = []
    ops = index.operator_classes[place] if index.operator_classes else None
    if ops:
        known = _CLASSES.get(index.method, {}).get(ops)
        options.append(f"ops: {known}" if known else f'ops: raw("{escaped(ops)}")')
    if index.descending and index.descending[place]:
        options.append("sort: Desc")
    return f"{name}({', '.join(options)})" if options else name


def as_prisma_reads(index: Index) -> Index:
    """The index as Prisma's engine sees it in a database: what a declaration has to say to keep it.

    Keys that are expressions are left out (Prisma sees no index that has one).
    """
    places = [place for place, key in enumerate(index.columns) if is_column(key)]
    carried = index.include
    method = index.method if index.method in METHODS else "btree"
    sorted_ = method == "btree" and index.method == "btree" and any(index.descending)
    classed = method != "btree" and any(index.operator_classes)
    down = tuple(index.descending[place] for place in places) if sorted_ else ()
    classes = tuple(index.operator_classes[place] for place in places) if classed else ()
    return replace(
        index,
        columns=(*(index.columns[place] for place in places), *carried),
        include=(),
        method=method,
        descending=(*down, *(False for _ in carried)) if sorted_ else (),
        operator_classes=(*classes, *(None for _ in carried)) if classed else (),
        nulls_first=(),
        collations=(),
    )


def beyond(index: Index) -> tuple[str, ...]:
    """What of an index a declaration in schema.prisma cannot say, in words; a condition is not among it."""
    down = index.descending or (False,) * len(index.columns)
    classless = index.method == "btree" or index.method not in METHODS
    found = (
        ("an expression", any(not is_column(key) for key in index.columns)),
        ("INCLUDE", bool(index.include)),
        (f"the index type {index.method}", index.method not in METHODS),
        ("the operator class", classless and any(index.operator_classes)),
        ("the order of NULLs", bool(index.nulls_first) and index.nulls_first != down),
        ("a collation", any(index.collations)),
        ("NULLS NOT DISTINCT", not index.nulls_distinct),
    )
    return tuple(what for what, holds in found if holds)


def is_column(key: str) -> bool:
    """Whether an index's key is a column by its looks, not an expression."""
    return key != _UNREADABLE and not re.search(r"[(:|+*/<>=']", key)


def escaped(text: str) -> str:
    """A text as it stands between the quotes of a string in schema.prisma."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
