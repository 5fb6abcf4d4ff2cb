"""The textfile, judged by Prometheus' own parsers: OpenMetrics', and the older one of node_exporter."""

from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as older

from analyzer.nightly.metrics import SEVERITIES, figures_of, has_figures, with_success

SUCCESS = ("pg95_last_success_timestamp_seconds", frozenset[tuple[str, str]]())
OF = ("pg95_figures_timestamp_seconds", frozenset[tuple[str, str]]())


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What both parsers agree on."""
    found = [
        {
            (one.name, frozenset(one.labels.items())): one.value
            for family in parse(text)
            for one in family.samples
        }
        for parse in (openmetrics, older)
    ]
    assert found[0] == found[1]
    return found[0]


def test_figures_are_there(document: dict[str, Any]) -> None:
    found = samples(with_success(figures_of(document, 1_794_990_000.0, 3), 1_795_000_000.5))
    p95 = frozenset({("quantile", "0.95")})
    assert found["pg95_query_latency_seconds", p95] == 0.1432
    assert found["pg95_request_latency_seconds", p95] == 0.412
    assert found["pg95_target_latency_seconds", p95] == 0.1
    assert found["pg95_verdict", frozenset({("verdict", "missed")})] == 1
    assert found["pg95_verdict", frozenset({("verdict", "met")})] == 0
    assert (found[OF], found[SUCCESS]) == (1_794_990_000.0, 1_795_000_000.5)
    assert found["pg95_statements_slower", frozenset()] == 3
    high = frozenset({("detector", "n-plus-one"), ("severity", "high")})
    assert found["pg95_findings", high] == 1
    assert len([name for name, _ in found if name == "pg95_findings"]) == 2  # no series of zeros
    totals = [
        found["pg95_findings_by_severity", frozenset({("severity", one)})] for one in SEVERITIES
    ]
    assert totals == [0, 1, 0, 1, 0]
    assert found["pg95_findings_status", frozenset({("status", "ongoing")})] == 1


def test_what_is_not_known_is_left_out(document: dict[str, Any]) -> None:
    document["target"] |= {"value_ms": None, "request": None, "verdict": "unknown"}
    names = {name for name, _ in samples(figures_of(document, 1.0, 0))}
    assert "pg95_query_latency_seconds" not in names
    assert "pg95_request_latency_seconds" not in names
    assert "pg95_verdict" in names


def test_acknowledged_and_gone_ones_do_not_count(document: dict[str, Any]) -> None:
    document["findings"][0]["status"] = "gone"
    document["findings"][1]["status"] = "acknowledged"
    document["findings"][1]["detector"] = 'odd "name"\\\n'
    found = samples(figures_of(document, 1.0, 0))
    assert "pg95_findings" not in {name for name, _ in found}
    totals = [value for (name, _), value in found.items() if name == "pg95_findings_by_severity"]
    assert totals == [0, 0, 0, 0, 0]
    assert found["pg95_findings_status", frozenset({("status", "gone")})] == 1


def test_figures_and_success_are_written_one_after_the_other(document: dict[str, Any]) -> None:
    first = with_success(figures_of(document, 10.0, 0), 11.0)
    document["target"]["executions"] = 5
    begun = figures_of(document, 20.0, 0, first)
    found = samples(begun)
    assert (found[OF], found[SUCCESS]) == (20.0, 11.0)  # killed here, the figures are there
    assert found["pg95_executions", frozenset()] == 5
    quiet = with_success(with_success(begun, 21.0), 31.0)
    assert samples(quiet) == found | {SUCCESS: 31.0}
    assert has_figures(quiet)


def test_what_is_no_textfile_of_pg95_has_no_figures(document: dict[str, Any]) -> None:
    whole = figures_of(document, 1.0, 0)
    for text in ("", "# EOF\n", whole[:-6], whole + "more 1\n", "x 1\n" + whole):
        assert not has_figures(text)
    assert list(samples(with_success("garbage\nother_metric 1\n", 2.0))) == [SUCCESS]
