"""Advice from findings: what a name may not do, and what a failure costs."""

from pathlib import Path

import pytest

from analyzer.pipeline import Options, run

DATA = Path(__file__).parents[1] / "data" / "nplusone" / "django"


def log_of(tmp_path: Path, statements: list[str]) -> str:
    path = tmp_path / "postgresql.log"
    line = "2026-03-01 10:00:{:06.3f} UTC [400] app@shop/web LOG:  duration: 40.000 ms  statement: {}\n"
    path.write_text(
        "".join(line.format(n / 10, sql.replace("\n", "\n\t")) for n, sql in enumerate(statements))
    )
    return str(path)


@pytest.mark.parametrize("name", ["a\nDROP TABLE x --", "a\n\nDROP TABLE x"])
def test_a_line_break_in_a_name_does_not_end_a_comment(tmp_path: Path, name: str) -> None:
    pages = [
        f'SELECT id FROM posts ORDER BY "{name}", id LIMIT 50 OFFSET {5_000 + 50 * n}'
        for n in range(9)
    ]
    result = run(Options(inputs=[log_of(tmp_path, pages)]))
    (finding,) = [one for one in result.findings if one.detector == "offset-pagination"]
    told = [
        line for line in finding.recommendations[-1].text.splitlines() if line.startswith("-- $")
    ]
    assert len(told) == 2
    assert "DROP TABLE x" in told[0]


def test_advice_that_fails_costs_itself_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no advice today")

    monkeypatch.setattr("analyzer.advice.advised.recommend", fail)
    result = run(Options(inputs=[str(DATA / "nested.csv")]))
    assert result.findings
    assert not any(finding.recommendations for finding in result.findings)
    assert any("no advice today" in one for one in result.document["coverage"]["warnings"])
