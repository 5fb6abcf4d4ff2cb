"""schema.prisma: what Prisma itself says of the same schemas, in its DMMF and in its SQL."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError
from analyzer.model.catalog import Catalog, Relation, Table
from analyzer.sources.schema import prisma, sql
from analyzer.sources.schema.prisma_types import operator_class
from analyzer.sql.defaults import same_default

DATA = Path(__file__).parents[1] / "data"


def text(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def read(name: str) -> Catalog:
    return prisma.read_schema(text(name), name)


@pytest.fixture(scope="module")
def captured() -> Catalog:
    return read("prisma/schema/schema.prisma")


@pytest.fixture(scope="module")
def features() -> Catalog:
    return read("schema/features.prisma")


def models() -> dict[str, dict[str, Any]]:
    """The captured DMMF's models by name."""
    found = json.loads(text("prisma/schema/dmmf_datamodel.json"))["models"]
    return {model["name"]: model for model in found}


def table_of(catalog: Catalog, model: str) -> Table:
    return next(table for table in catalog if table.model == model)


def columns_of(model: dict[str, Any], fields: list[str]) -> tuple[str, ...]:
    names = {field["name"]: field.get("dbName") or field["name"] for field in model["fields"]}
    return tuple(names[field] for field in fields)


def test_models_and_fields_are_the_dmmf_s(captured: Catalog) -> None:
    assert {table.model for table in captured if table.model} == set(models())
    for name, model in models().items():
        table = table_of(captured, name)
        assert table.name == (model["dbName"] or name)
        scalars = [field for field in model["fields"] if field["kind"] != "object"]
        assert [(column.field, column.name, not column.nullable) for column in table.columns] == [
            (f["name"], f.get("dbName") or f["name"], f["isRequired"]) for f in scalars
        ]


def test_keys_are_the_dmmf_s(captured: Catalog) -> None:
    for name, model in models().items():
        table = table_of(captured, name)
        ids = [field["name"] for field in model["fields"] if field["isId"]]
        if model["primaryKey"]:
            ids = model["primaryKey"]["fields"]
        assert table.primary_key == columns_of(model, ids)
        unique = [[field["name"]] for field in model["fields"] if field["isUnique"]]
        unique += model["uniqueFields"]
        assert list(table.unique_keys) == [columns_of(model, fields) for fields in unique]


def test_relations_are_the_dmmf_s(captured: Catalog) -> None:
    all_models = models()
    for name, model in all_models.items():
        table = table_of(captured, name)
        objects = [field for field in model["fields"] if field["kind"] == "object"]
        assert [relation.name for relation in table.relations] == [f["name"] for f in objects]
        for relation, field in zip(table.relations, objects, strict=True):
            other = all_models[field["type"]]
            assert relation.target == table_of(captured, field["type"]).name
            assert relation.many == field["isList"]
            assert relation.columns == columns_of(model, field["relationFromFields"])
            if field["relationToFields"]:
                expected = columns_of(other, field["relationToFields"])
                assert relation.target_columns == expected
        keys = [field for field in objects if field["relationFromFields"]]
        assert [(key.columns, key.target) for key in table.foreign_keys] == [
            (columns_of(model, f["relationFromFields"]), table_of(captured, f["type"]).name)
            for f in keys
        ]


def test_indexes_are_the_dmmf_s(captured: Catalog) -> None:
    found = json.loads(text("prisma/schema/dmmf_datamodel.json"))["indexes"]
    expected = {
        (
            entry["model"],
            entry["type"],
            columns_of(models()[entry["model"]], [field["name"] for field in entry["fields"]]),
            entry.get("algorithm", "BTree").lower(),
            tuple(field.get("sortOrder") == "desc" for field in entry["fields"]),
        )
        for entry in found
    }
    kinds = {
        (
            table.model,
            "id" if i.primary else "unique" if i.unique else "normal",
            i.columns,
            i.method,
            i.descending or (False,) * len(i.columns),
        )
        for table in captured
        if table.model
        for i in table.indexes
    }
    assert kinds == expected


@pytest.mark.parametrize(
    ("schema", "script", "by_prisma"),
    [
        ("prisma/schema/schema.prisma", "schema/prisma_migration.sql", True),
        ("prisma/schema/index_kinds.prisma", "schema/prisma_index_kinds.sql", True),
        ("nplusone/prisma7/schema.prisma", "nplusone/prisma7/schema.sql", False),
    ],
)
def test_the_tables_are_those_of_the_sql(schema: str, script: str, *, by_prisma: bool) -> None:
    """The first two scripts are what Prisma's migrate made of the schema: all must agree."""
    made = sql.read_schema(text(script), script)
    ours = read(schema)
    assert set(ours.tables) == set(made.tables)
    assert ours.enums == made.enums
    for name, table in made.tables.items():
        mine = ours.tables[name]
        assert [(c.name, c.type, c.nullable) for c in mine.columns] == [
            (c.name, c.type, c.nullable) for c in table.columns
        ]
        assert mine.primary_key == table.primary_key
        assert set(mine.unique_keys) == set(table.unique_keys)
        keys = set(mine.foreign_keys)
        if not by_prisma:  # written by hand, with other actions
            keys = {replace(key, on_delete="NO ACTION", on_update="NO ACTION") for key in keys}
        assert keys == set(table.foreign_keys)
        for column, same in zip(mine.columns, table.columns, strict=True):
            assert not by_prisma or same_default(column.default, same.default), (name, column, same)
        assert set(mine.indexes) == set(table.indexes)


def test_implicit_many_to_many(captured: Catalog) -> None:
    link = captured.tables["_ProjectToTag"]
    assert [(c.name, c.type, c.nullable) for c in link.columns] == [
        ("A", "integer", False),
        ("B", "integer", False),
    ]
    assert [(key.columns, key.target) for key in link.foreign_keys] == [
        (("A",), "projects"),
        (("B",), "Tag"),
    ]
    assert link.model is None
    (tags,) = [r for r in table_of(captured, "Project").relations if r.name == "tags"]
    assert tags == Relation("tags", "Tag", many=True, target_columns=("id",))


def test_types(features: Catalog) -> None:
    person = {column.name: column.type for column in features.tables["Person"].columns}
    assert person == {
        "id": "uuid",
        "email": "citext",
        "nick": "character(8)",
        "score": "numeric(10,2)",
        "born": "date",
        "seen": "timestamp with time zone",
        "tags": "character varying(40)[]",
        "invited_by": "uuid",
    }
    invoice = {column.name: column.type for column in features.tables["billing.invoices"].columns}
    assert invoice["state"] == "billing.invoice_state"
    assert invoice["shape"] == "geometry(Point, 4326)"
    line = {column.name: column.type for column in features.tables["billing.InvoiceLine"].columns}
    assert line["amount"] == "double precision"
    assert (line["paid"], line["scan"], line["id"]) == ("boolean", "bytea", "bigint")


def test_self_relations_and_named_links(features: Catalog) -> None:
    person = features.tables["Person"]
    relations = {relation.name: relation for relation in person.relations}
    assert relations["invitedBy"] == Relation(
        "invitedBy", "Person", many=False, columns=("invited_by",), target_columns=("id",)
    )
    assert relations["invited"] == Relation(
        "invited", "Person", many=True, target_columns=("invited_by",)
    )
    assert relations["follows"].target_columns == ("id",)
    link = features.tables["_Follow"]
    assert [(key.columns, key.target) for key in link.foreign_keys] == [
        (("A",), "Person"),
        (("B",), "Person"),
    ]
    assert {column.type for column in link.columns} == {"uuid"}
    groups = features.tables["_GroupToPerson"]
    assert [(c.name, c.type) for c in groups.columns] == [("A", "smallint"), ("B", "uuid")]
    assert [key.target for key in groups.foreign_keys] == ["Group", "Person"]


def test_one_to_one(features: Catalog) -> None:
    (passport,) = [r for r in features.tables["Person"].relations if r.name == "passport"]
    assert passport == Relation("passport", "Passport", many=False, target_columns=("person_id",))
    (key,) = features.tables["Passport"].foreign_keys
    assert (key.name, key.columns, key.target) == ("passport_owner", ("person_id",), "Person")
    assert features.tables["Passport"].unique_keys == (("person_id",),)


def test_names_of_keys(features: Catalog) -> None:
    names = {name: [i.name for i in table.indexes] for name, table in features.tables.items()}
    assert names["Passport"] == ["passport_pk", "Passport_person_id_key"]
    assert names["billing.invoices"] == ["invoice_pk"]
    assert "person_email_unique" in names["Person"]
    assert names["billing.InvoiceLine"][1] == "InvoiceLine_year_number_amount_key"
    assert features.tables["billing.InvoiceLine"].indexes[1].descending == (False, False, True)


def test_composite_foreign_keys_across_schemas(features: Catalog) -> None:
    (key,) = features.tables["billing.InvoiceLine"].foreign_keys
    assert key.columns == key.target_columns == ("year", "number")
    assert key.target == "billing.invoices"
    (invoices,) = [r for r in features.tables["Person"].relations if r.name == "invoices"]
    assert (invoices.target, invoices.target_columns) == ("billing.invoices", ("personId",))


def test_partial_indexes(features: Catalog) -> None:
    indexes = {index.name: index for index in features.tables["Person"].indexes}
    assert indexes["person_birth"].columns == ("born", "nick")
    assert indexes["person_birth"].descending == (True, False)
    assert indexes["person_invited"].predicate == "invited_by IS NOT NULL AND nick = 'it''s'"


def test_a_view_is_a_table_without_indexes(features: Catalog) -> None:
    view = features.tables["Summary"]
    assert (view.indexes, view.unique_keys) == ((), (("person_id",),))
    assert [column.type for column in view.columns] == ["uuid", "integer"]


def test_a_schema_in_several_files() -> None:
    whole = text("prisma/schema/schema.prisma")
    cut = whole.index("model Project {")
    files = {"a.prisma": whole[:cut], "b.prisma": whole[cut:]}
    assert prisma.read_schemas(files, "schema").tables == dict(
        read("prisma/schema/schema.prisma").tables
    )
    with pytest.raises(InputError, match=r"a\.prisma:\d+: type Project of field ownedProjects"):
        prisma.read_schema(files["a.prisma"], "a.prisma")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("model A {\n  id Int @id\n", r"s:3: expected a field, @@attribute or \}, found the end"),
        ("model A {\n  id\n}", r"s:2: expected the type of id, found the end of the line"),
        ("model {\n}", r"s:1: expected the name of the model, found \{"),
        ("model A {\n  id Int @id @map(\n}", r"s:3: expected a value, found \}"),
        ("model A {\n  id Int; x Int\n}", r"s:2: this is no Prisma schema: unexpected ';"),
        ("model A {\n  a Int b Int\n}", r"s:2: expected a new line, found b"),
        ("enum E {\n  A B\n}", r"s:2: expected a new line, found B"),
        ("model A {\n  a Unsupported(x)\n}", r"s:2: expected the type in quotes, found x"),
        ("model A {\n  b B\n}", r"s:2: type B of field b is not defined"),
        ("datasource d {\n  url postgres\n}", r"s:2: expected =, found postgres"),
        ("model A {\n  @@index([[[" + "[" * 40, r"s:2: expected at most 32 brackets"),
        ("{}", r"s:1: expected a block"),
        ('model A {\n\n  x String @map("open)\n}', r"s:3: this is no Prisma schema"),
    ],
)
def test_broken_syntax_names_line_and_expectation(schema: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prisma.read_schema(schema, "s")


@pytest.mark.parametrize(
    ("ours", "postgresql"),
    [
        ("JsonbPathOps", "jsonb_path_ops"),
        ("InetOps", "inet_ops"),
        ("Int4MinMaxMultiOps", "int4_minmax_multi_ops"),
        ("TsVectorOps", "tsvector_ops"),
        ("TimestampTzBloomOps", "timestamptz_bloom_ops"),
        ("MacAddr8MinMaxOps", "macaddr8_minmax_ops"),
        ("BpcharMinMaxOps", "bpchar_minmax_ops"),
        ("ArrayOps", "array_ops"),
    ],
)
def test_operator_classes(ours: str, postgresql: str) -> None:
    assert operator_class(ours) == postgresql


def test_nothing_is_an_empty_catalog() -> None:
    assert dict(prisma.read_schema("", "empty").tables) == {}
    assert dict(prisma.read_schema("// nothing\n\n", "empty").tables) == {}


PIECES = [
    *("model ", "enum ", "A", "B", " {", "}", "\n", "  id Int @id", "@@", "@", "(", ")", "[", "]"),
    *("@relation(fields: [id], references: [id])", "A[]", "B?", ":", ",", '"x"', '"', "where: {"),
    *(
        "@@index([id])",
        "@@map(",
        "@db.VarChar(3)",
        "//",
        "/*",
        "Unsupported(",
        ".",
        "\\u00e9",
        "b A",
    ),
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join))
def test_any_text_is_read_or_refused_with_its_line(schema: str) -> None:
    try:
        catalog = prisma.read_schema(schema, "s")
    except InputError as error:
        assert str(error).startswith("s:")  # noqa: PT017 - any text may as well be a schema
    else:
        assert all(table.name == name for name, table in catalog.tables.items())


LINES = [
    *("  id Int @id", "  a A?", "  b B[]", "  bs B[]", "  as A[]", "  aId Int @unique", "  x E"),
    *("  up A? @relation(fields: [aId], references: [id])", "  @@index([aId, id(sort: Desc)])"),
    *(
        '  @@map("t")',
        "  @@id([id, aId])",
        "  n String[]",
        '  @@unique([missing], where: raw("y"))',
    ),
    *('  l A[] @relation("L")', '  m B[] @relation("L")', "  @@index([])", '  id Int @map("k")'),
]


@settings(max_examples=100, deadline=None)
@given(*(st.lists(st.sampled_from(LINES), max_size=7) for _ in "AB"))
def test_any_models_give_tables(first: list[str], second: list[str]) -> None:
    blocks = (
        f"model {name} {{\n{chr(10).join(lines)}\n}}\n"
        for name, lines in zip("AB", (first, second), strict=True)
    )
    catalog = prisma.read_schema("enum E {\n  X\n}\n" + "".join(blocks), "s")
    assert {table.model for table in catalog} - {None} <= {"A", "B"}
