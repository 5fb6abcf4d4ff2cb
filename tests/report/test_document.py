"""report.json: the contract's keys, rounding, order, redaction, and the way to a file and back."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError, UsageError
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.workload import Traffic
from analyzer.report.document import build_document, dump, load
from analyzer.report.values import clean

# What tests/report/conftest.py makes; a conftest cannot be imported.
Facts = Any
Json = Any

TOP = [
    "schema_version", "tool", "generated_at", "redaction", "window", "coverage", "target",
    "statements", "findings", "savings", "requests", "jobs", "tables", "tables_counted", "plans", "indexes",
    "events", "trend", "changes", "hours", "detectors",
]  # fmt: skip
CONTRACT = {
    "coverage": "sources entries executions statements unparsed_lines sampling log_min_duration_ms "
    "warnings",
    "target": "ms quantile value_ms low_ms high_ms method verdict executions request client "
    "histogram",
    "target.request": "unit value_ms low_ms high_ms method verdict requests round_trips_p95",
    "coverage.sources.0": "path format detected_by bytes bytes_unparsed entries executions parse "
    "bind plans errors events unparsed_lines truncated same_as",
    "statements.0": "shape_id fingerprint lineage parsed query_ids sql tables kind calls total_ms "
    "mean_ms min_ms max_ms p50_ms p95_ms p99_ms method parse_ms bind_ms rows share requests "
    "calls_per_request_p95 histogram sources",
    "findings.0": "key detector status severity confidence title shape_ids fingerprints tables "
    "routes evidence impact recommendations",
    "findings.0.impact": "round_trips total_ms saving_ms requests",
    "findings.0.recommendations.0": "kind language text verified_by effect risk",
    "requests.0": "route count p50_ms p95_ms round_trips_p95 statements",
    "tables.0": "name rows bytes reads writes hot_ratio indexes findings",
    "tables.0.indexes.0": "name columns bytes scans unique",
    "plans.0": "key shape_id source format total_ms planning_ms nodes",
    "plans.0.nodes.0": "id parent type relation index loops rows_estimated rows_actual rows_total "
    "self_ms total_ms buffers findings",
    "indexes": "create drop workload_cost what_if_calls",
    "indexes.create.0": "sql bytes statements write_cost verified_by",
    "indexes.create.0.statements.0": "shape_id cost_before cost_after",
    "indexes.drop.0": "sql reason",
    "events.0": "kind count",
    "hours.0": "from calls p95_ms",
    "detectors.0": "id status reason",
}


def at(document: dict[str, Any], path: str) -> Json:
    value: Json = document
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    return value


def test_top_level_keys_are_all_there_in_their_order(state_document: dict[str, Any]) -> None:
    assert list(state_document) == TOP
    assert state_document["schema_version"] == 1


@pytest.mark.parametrize("path", CONTRACT)
def test_part_has_the_contract_keys(document: dict[str, Any], path: str) -> None:
    assert not set(CONTRACT[path].split()) - set(at(document, path))


def test_same_facts_give_the_same_bytes(make_facts: Callable[[], Facts]) -> None:
    assert dump(make_facts().build()) == dump(make_facts().build())


def test_document_survives_file(state_document: dict[str, Any]) -> None:
    text = dump(state_document)
    assert load(text) == state_document
    assert dump(load(text)) == text


def numbers(value: Json, key: str = "") -> list[tuple[str, float]]:
    if isinstance(value, dict):
        return [pair for name, item in value.items() for pair in numbers(item, name)]
    if isinstance(value, list):
        return [pair for item in value for pair in numbers(item, key)]
    return [(key, value)] if isinstance(value, float) else []


def test_floats_are_finite_and_rounded(state_document: dict[str, Any]) -> None:
    found = numbers(state_document)
    assert found
    for key, value in found:
        assert math.isfinite(value)
        assert value == round(value, 3 if key.endswith("_ms") else 6), key


def test_nan_and_infinity_never_get_in(facts: Facts) -> None:
    stats = [replace(s, mean_ms=math.nan, p99_ms=math.inf) for s in facts.workload.stats]
    facts.workload = replace(facts.workload, stats=stats)
    statement = facts.build()["statements"][0]
    assert statement["mean_ms"] is None
    assert statement["p99_ms"] is None


def test_statements_by_total_time_and_shares_sum_to_one(document: dict[str, Any]) -> None:
    totals = [statement["total_ms"] for statement in document["statements"]]
    assert totals == sorted(totals, reverse=True)
    assert sum(s["share"] for s in document["statements"]) == pytest.approx(1, abs=1e-5)


def test_findings_worst_first(document: dict[str, Any]) -> None:
    assert [f["severity"] for f in document["findings"]] == ["critical", "high", "low", "info"]


def test_histogram_counts_the_targets_executions(document: dict[str, Any]) -> None:
    target = document["target"]
    histogram = target["histogram"]
    assert sum(histogram["counts"]) == target["executions"]  # BEGIN is left out of both
    assert len(histogram["bounds_ms"]) == len(histogram["counts"])
    assert 100.0 in histogram["bounds_ms"]


def test_hours_add_up(document: dict[str, Any]) -> None:
    hours = document["hours"]
    assert [hour["from"] for hour in hours] == [f"2026-01-02T0{n}:00:00Z" for n in range(6)]
    assert sum(hour["calls"] for hour in hours) == document["target"]["executions"]


def test_hour_p95_is_nearest_rank(facts: Facts) -> None:
    frame = facts.executions
    ours = frame[(frame["statement"] != 6)]
    first = ours[ours["start_us"] // 3_600_000_000 == ours["start_us"].min() // 3_600_000_000]
    durations = sorted(first["duration_ms"])
    expected = durations[math.ceil(0.95 * len(durations) - 1e-9) - 1]
    assert facts.build()["hours"][0]["p95_ms"] == expected


def test_client_events_are_counted_only_without_a_server(facts: Facts) -> None:
    facts.executions = frame = facts.executions.copy()
    frame.loc[frame.index[:100], "clock"] = 1
    histogram = facts.build()["target"]["histogram"]
    assert histogram["clock"] == "server"
    assert sum(histogram["counts"]) < 4_560
    frame["clock"] = 1
    histogram = facts.build()["target"]["histogram"]
    assert histogram["clock"] == "client"
    assert sum(histogram["counts"]) == 4_560


def test_requests_by_route(document: dict[str, Any]) -> None:
    by_route = {request["route"]: request for request in document["requests"]}
    assert set(by_route) == {"GET /posts", "GET /orders/search"}
    assert by_route["GET /posts"]["count"] == 160
    assert by_route["GET /posts"]["round_trips_p95"] == 25
    assert by_route["GET /orders/search"]["statements"][0] == "a1b2c3d4e5f60003.1"
    assert document["requests"][0]["route"] == "GET /orders/search"


def test_requests_without_a_route_are_not_grouped(facts: Facts) -> None:
    facts.requests = facts.requests.assign(route=None)
    assert facts.build()["requests"] == []


def test_tables_are_those_spoken_of(document: dict[str, Any]) -> None:
    names = [table["name"] for table in document["tables"]]
    assert names == ["orders", "authors", "posts"]
    assert document["tables"][0]["findings"] == ["seq-scan-90aa31"]


def test_without_a_catalog_no_tables(facts: Facts) -> None:
    facts.workload = replace(facts.workload, catalog=None)
    assert facts.build()["tables"] == []


def test_plan_nodes_depth_first_with_their_findings(document: dict[str, Any]) -> None:
    nodes = document["plans"][0]["nodes"]
    assert [(n["id"], n["parent"], n["depth"]) for n in nodes] == [
        (1, None, 0), (2, 1, 1), (3, 2, 2), (4, 2, 2),
    ]  # fmt: skip
    assert [n["findings"] for n in nodes] == [[], [], ["seq-scan-90aa31"], []]
    assert nodes[2]["buffers"] == {"shared_hit": 1_024, "shared_read": 2_310}
    assert nodes[2]["rows_total"] == 1.0


def test_strict_redaction_leaves_no_value(make_facts: Callable[[], Facts]) -> None:
    facts = make_facts()
    assert "s3cret" not in dump(facts.build())
    finding = facts.build()["findings"][0]
    assert finding["evidence"]["filter"] == "((reference = ?::text) AND (created_at >= ?::date))"
    assert facts.build()["findings"][1]["evidence"]["examples"][0]["parameters"] == ["?"]


def test_normalised_texts_keep_their_list_marks(document: dict[str, Any]) -> None:
    assert any("/*, … */" in statement["sql"] for statement in document["statements"])


def test_redaction_off_marks_the_document(facts: Facts) -> None:
    facts.redact = "off"
    document = facts.build()
    assert document["redaction"] == "off"
    assert dump(document).count("s3cret") >= 5


def test_stable_redaction_is_marked_and_gives_the_same_bytes(facts: Facts) -> None:
    facts.redact = "stable"
    document = facts.build()
    assert document["redaction"] == "stable"
    assert "s3cret" not in dump(document)
    assert "?1" in dump(document)
    assert dump(facts.build()) == dump(document)


def test_unknown_redaction_is_refused(facts: Facts) -> None:
    facts.redact = "some"
    with pytest.raises(UsageError, match="strict, stable, off"):
        facts.build()


def test_evidence_of_any_type_is_redacted(facts: Facts) -> None:
    finding = next(f for f in facts.findings if isinstance(f.evidence, SeqScanEvidence))
    raw = "lower('s3cret'::text)"
    condition = replace(finding.evidence.conditions[0], expression=raw)
    evidence = replace(finding.evidence, conditions=(condition,))
    facts.findings = (replace(finding, evidence=evidence, title=f"scan by {raw}"),)
    found = facts.build()["findings"][0]
    assert found["evidence"]["conditions"][0]["expression"] == "lower(?::text)"
    assert found["title"] == "scan by lower(?::text)"


def test_lone_surrogates_become_text(facts: Facts) -> None:
    first = replace(facts.workload.statements[0], sql="SELECT '\udcff' AS \ud800")
    facts.workload = replace(facts.workload, statements=(first, *facts.workload.statements[1:]))
    text = dump(facts.build())
    text.encode("utf-8")
    assert "\\\\udcff" in text
    assert load(text) == facts.build()


def test_dump_holds_surrogates_that_were_put_in_later(document: dict[str, Any]) -> None:
    document["findings"][0]["title"] = "\udcff"
    text = dump(document)
    text.encode("utf-8")
    assert json.loads(text)["findings"][0]["title"] == "\udcff"
    assert load(text)["findings"][0]["title"] == "\\udcff"


def test_empty_workload_has_a_report(facts: Facts) -> None:
    workload = replace(
        facts.workload, traffic=Traffic(), statements=(), stats=(), plans=(),
        catalog=None, events={}, request_verdict=None,
    )  # fmt: skip
    document = build_document(workload, (), {}, indexes=None)
    assert document["window"] == {"from": None, "to": None}
    assert document["target"]["histogram"] is None
    assert document["hours"] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1, column 1"),
        ('{"schema_version": 1,\n "tool": }', "line 2"),
        ("[1]", "no pg95 report"),
        ("{}", "no schema_version"),
        ('{"schema_version": 2}', "reads 1"),
        ('{"schema_version": true}', "reads 1"),
        ('{"schema_version": 1}', "'tool' is missing"),
        ('{"schema_version": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_load_names_what_is_wrong_and_the_remedy(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as raised:
        load(text)
    assert "pg95 report" in str(raised.value) or "Use the pg95" in str(raised.value)


def test_load_refuses_a_part_of_the_wrong_kind(document: dict[str, Any]) -> None:
    document["findings"] = {}
    with pytest.raises(InputError, match="'findings'"):
        load(dump(document))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(ANY_JSON)
def test_clean_values_are_json_and_stay_as_they_are(value: Json) -> None:
    cleaned = clean(value)
    assert clean(cleaned) == cleaned
    assert json.loads(dump(cleaned)) == cleaned


def test_clean_takes_numpy_and_refuses_what_has_no_json() -> None:
    assert clean({"a_ms": np.float64(1.23456), "n": np.int64(3)}) == {"a_ms": 1.235, "n": 3}
    with pytest.raises(TypeError, match="'x'"):
        clean({"x": object()})


def test_plan_of_any_depth_is_walked(facts: Facts, make_facts: Callable[[], Facts]) -> None:
    node = make_facts().workload.plans[0].root
    for depth in range(3_000):
        node = replace(node, id=depth + 10, children=(node,))
    plan = replace(facts.workload.plans[0], root=node)
    facts.workload = replace(facts.workload, plans=(plan,))
    assert len(facts.build()["plans"][0]["nodes"]) == 3_004
