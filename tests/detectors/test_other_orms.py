"""Loops of Peewee, Tortoise, Drizzle, Knex and Objection on a schema whose names tell nothing.

tests/data/other_orms/README.md says how they were taken.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.pipeline import Options, Result, run

DATA = Path(__file__).parents[1] / "data" / "other_orms"
SCHEMA = str(DATA / "schema.sql")


@dataclass(frozen=True)
class Pair:
    """The parent's table and column, the child's table, and children of one parent (the median)."""

    parent: str
    told: str
    child: str
    children: float


BY_SCHEMA = {
    "drizzle_batched": [],
    "drizzle_eager": [],
    "drizzle_lazy": [Pair("person", "nr", "werk", 15)],
    "drizzle_list_lazy": [Pair("person", "nr", "werk", 9)],
    "drizzle_nested": [Pair("person", "nr", "werk", 8), Pair("werk", "nr", "stimme", 4)],
    "drizzle_parallel": [Pair("person", "nr", "werk", 15)],
    "drizzle_two_keys": [Pair("spiel", "gast", "person", 12)],
    "knex_lazy": [Pair("werk", "wer", "person", 20)],
    "knex_pages": [],
    "objection_eager": [],
    "objection_lazy": [Pair("person", "nr", "werk", 15)],
    "peewee_batch_then_lazy": [Pair("person", "nr", "werk", 9)],
    "peewee_eager_join": [],
    "peewee_lazy_children": [Pair("person", "nr", "werk", 15)],
    "peewee_nested": [Pair("person", "nr", "werk", 8), Pair("werk", "haus", "verlag", 4)],
    "peewee_prefetched": [],
    "peewee_requests": [],
    "peewee_self_join": [Pair("person", "chef", "person", 14)],
    "peewee_uuid_lazy": [Pair("konto", "guid", "buchung", 12)],
    "tortoise_lazy_children": [Pair("person", "nr", "werk", 15)],
    "tortoise_prefetched": [],
}
BY_VALUES = ("drizzle_list_lazy", "peewee_batch_then_lazy", "peewee_uuid_lazy")


def judged(name: str, schema: str | None = SCHEMA) -> Result:
    return run(Options(inputs=[str(DATA / f"{name}.csv")], schema=schema))


def pairs(result: Result) -> list[NPlusOneEvidence]:
    return [one.evidence for one in result.findings if isinstance(one.evidence, NPlusOneEvidence)]


def told(result: Result) -> list[Pair]:
    found = [
        Pair(
            one.parent_table or "",
            ", ".join(one.parent_columns),
            one.child_table or "",
            one.children_per_parent.median,
        )
        for one in pairs(result)
    ]
    return sorted(found, key=lambda one: one.parent)


@pytest.mark.parametrize("name", BY_SCHEMA)
def test_each_loop_is_found_with_its_parent_and_nothing_else(name: str) -> None:
    result = judged(name)
    assert told(result) == BY_SCHEMA[name]
    others = {"repeated-lookup", "repeated-query", "write-loop"}
    assert others.isdisjoint(one.detector for one in result.findings)


@pytest.mark.parametrize("name", [name for name, wanted in BY_SCHEMA.items() if not wanted])
def test_what_loads_in_batches_is_clean_without_a_schema(name: str) -> None:
    result = judged(name, schema=None)
    assert {one.detector for one in result.findings}.isdisjoint({"n-plus-one", "repeated-lookup"})


@pytest.mark.parametrize("name", BY_VALUES)
def test_values_make_a_link_where_no_name_does(name: str) -> None:
    result = judged(name, schema=None)
    assert told(result) == BY_SCHEMA[name]
    (evidence,) = pairs(result)
    count = evidence.executions
    assert (evidence.values_compared, evidence.values_from_parent) == (count, count)
    column = evidence.lookup_columns[0]
    sentence = f"{count} of {count} values of {column} were in the list of the parent's statement"
    assert sentence in evidence.reasons
    (finding,) = (one for one in result.findings if one.detector == "n-plus-one")
    assert 0.8 <= finding.confidence < 0.9


def test_small_numbers_link_less_than_uuids() -> None:
    sure = [
        next(one.confidence for one in judged(name, schema=None).findings if one.confidence)
        for name in ("peewee_batch_then_lazy", "peewee_uuid_lazy")
    ]
    assert sure[0] < sure[1]


def test_a_parent_whose_list_has_none_of_the_values_is_refuted() -> None:
    result = judged("drizzle_other_ids")
    (evidence,) = pairs(result)
    assert (evidence.values_compared, evidence.values_from_parent) == (8, 0)
    assert "8 of 8 values of wer are none that it asked for" in evidence.reasons
    (finding,) = (one for one in result.findings if one.detector == "n-plus-one")
    assert finding.title == "N+1: 8 × werk by wer in a loop, with values from elsewhere than person"
    assert finding.confidence < 0.7
    advice = " ".join(one.text for one in finding.recommendations)
    assert "all rows of person" not in advice


def test_values_are_counted_and_never_shown() -> None:
    document = str(judged("peewee_uuid_lazy", schema=None).document["findings"])
    values = (DATA / "peewee_uuid_lazy.csv").read_text().split("'")
    uuids = {one for one in values if re.fullmatch("[0-9a-f]{32}", one)}
    assert len(uuids) > 10
    assert not any(one in document for one in uuids)


def test_every_capture_is_judged() -> None:
    assert {path.stem for path in DATA.glob("*.csv")} == {*BY_SCHEMA, "drizzle_other_ids"}
