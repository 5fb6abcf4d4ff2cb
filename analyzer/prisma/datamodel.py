"""What pg95 reads of a schema.prisma beside what Prisma's own parser reads: the datamodel of its DMMF.

The DMMF leaves out fields of `Unsupported("…")` types and the conditions of partial indexes, so these are not
compared.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.model.catalog import Catalog, Index, Table


def differing(catalog: Catalog, datamodel: Mapping[str, Any]) -> list[str]:
    """What the two say differently, in words that name the model; empty where they agree."""
    models = {model["name"]: model for model in datamodel["models"]}
    tables = {table.model: table for table in catalog if table.model and table.kind == "table"}
    found = [f"model {name}" for name in tables if name not in models]
    found += [f"model {name}" for name in models if name not in {one.model for one in catalog}]
    for name, table in tables.items():
        if name in models:
            found += _model(table, models[name])
            kept = [one for one in datamodel["indexes"] if one["model"] == name]
            found += _indexes(table, kept)
    return found


def _model(table: Table, model: Mapping[str, Any]) -> Iterator[str]:
    if table.name.rpartition(".")[2] != (model["dbName"] or model["name"]):
        yield f"the table of model {model['name']}"
    scalars = [field for field in model["fields"] if field["kind"] != "object"]
    ours = {column.field: column for column in table.columns}
    for field in scalars:
        column = ours.get(field["name"])
        name = field.get("dbName") or field["name"]
        required = field["isRequired"] and not field["isList"]
        if (
            column is None
            or column.name != name
            or (column.nullable == required and not field["isList"])
        ):
            yield f"field {field['name']} of model {model['name']}"
    objects = [field["name"] for field in model["fields"] if field["kind"] == "object"]
    if [relation.name for relation in table.relations] != objects:
        yield f"the relations of model {model['name']}"


def _indexes(table: Table, kept: list[Mapping[str, Any]]) -> Iterator[str]:
    columns = {column.field: column.name for column in table.columns}
    theirs = sorted(map(repr, (_of_prisma(one, columns) for one in kept)))
    ours = sorted(map(repr, (_of_pg95(one) for one in table.indexes)))
    if theirs != ours:
        yield f"the keys and indexes of model {table.model}"


def _of_prisma(entry: Mapping[str, Any], columns: Mapping[str | None, str]) -> tuple[object, ...]:
    fields = entry["fields"]
    return (
        entry["type"],
        tuple(columns.get(field["name"], field["name"]) for field in fields),
        entry.get("algorithm", "BTree").lower(),
        tuple(field.get("sortOrder") == "desc" for field in fields),
    )


def _of_pg95(index: Index) -> tuple[object, ...]:
    return (
        "id" if index.primary else "unique" if index.unique else "normal",
        index.columns,
        index.method,
        index.descending or (False,) * len(index.columns),
    )
