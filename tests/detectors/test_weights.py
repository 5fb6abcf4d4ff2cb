"""What detectors share of a run's figures is worked out once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from heavy_log import Ran, analysed
from neighbours import write_statistics

from analyzer.detectors._heavy import heavy_statements
from analyzer.detectors._weights import share_of_time
from analyzer.model.statement import StatementStats
from analyzer.pipeline import Options, run
from analyzer.sql.identity import identify

SQL = "SELECT a FROM t WHERE b = 5"


class Walked(tuple[StatementStats, ...]):
    """Figures that count how often they are gone through."""

    __slots__ = ()
    walks = 0

    def __iter__(self) -> Iterator[StatementStats]:
        Walked.walks += 1
        return super().__iter__()


def test_the_teams_time_is_summed_up_once(tmp_path: Path) -> None:
    ran = [Ran(SQL, ms=30.0), Ran("SELECT c FROM u", ms=10.0), Ran("SHOW a", ms=50.0)]
    workload = analysed(tmp_path, ran).workload
    workload = replace(workload, stats=Walked(workload.stats))
    assert share_of_time(workload, 100.0) == 0.25
    walks = Walked.walks
    assert share_of_time(workload, 200.0) == 0.5
    assert Walked.walks == walks
    assert [one.share for one in heavy_statements(workload)] == [0.75, 0.25]
    assert Walked.walks == walks + 1


def test_counters_name_their_shape_and_whether_they_are_limited(tmp_path: Path) -> None:
    texts = [f"{SQL} OFFSET $1", f"{SQL} OFFSET $1 LIMIT $2", "SELECT 1 FROM u"]
    rows = [(text, 5, 50.0, 10) for text in texts]
    workload = run(Options(inputs=[write_statistics(tmp_path / "a.csv", rows)])).workload
    assert [row.limited for row in workload.counters] == [False, True, False]
    shapes = [row.shape_id for row in workload.counters]
    assert shapes == [identify(text).shape_id for text in texts]
    assert shapes[0] == shapes[1]
