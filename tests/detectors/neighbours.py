"""What the tests of the neighbours of N+1 share: the captures, and logs made of a few lines."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from analyzer.detectors import LoopFinder, all_detectors
from analyzer.model.executions import ExecutionChunk
from analyzer.model.finding import Finding, Outcome
from analyzer.model.recording import Recording
from analyzer.model.target import Target
from analyzer.pipeline import Options, Result, run
from analyzer.pipeline.analysis import detect
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable
from analyzer.workload.build import WorkloadBuilder
from analyzer.workload.slices import slices

DATA = Path(__file__).parents[1] / "data"
CAPTURES = DATA / "neighbours"
SCHEMA = str(CAPTURES / "schema.sql")


def analysed(*names: str, schema: bool = False) -> Result:
    """A capture (`idle.log`, with its counters `everything.jsonl`), or a corpus' slice."""
    paths = [str((CAPTURES if (CAPTURES / name).exists() else DATA) / name) for name in names]
    return run(Options(inputs=paths, schema=SCHEMA if schema else None, log_min_duration_ms=0))


def outcome(detector: str, *names: str, schema: bool = False) -> Outcome:
    """A detector's answer about a capture."""
    return analysed(*names, schema=schema).outcomes[detector]


def only_finding(detector: str, *names: str, schema: bool = False) -> Finding:
    """The one finding of a detector, with its recommendations."""
    found = analysed(*names, schema=schema).findings
    (finding,) = [one for one in found if one.detector == detector]
    return finding


def judged_in_slices(path: str, rows: int) -> Mapping[str, Outcome]:
    """What detectors answer where a log is read in slices of so many rows."""
    recording = Recording(keys=StatementKeyTable())
    streams = gather([path], ReadOptions(), recording).streams
    builder, loops = WorkloadBuilder(recording, Target()), LoopFinder()
    for chunk, last in slices(streams):  # of a small file there is one
        starts = [*range(0, len(chunk), rows), len(chunk)]
        for start in starts:
            columns = {name: column[start:][:rows] for name, column in chunk.columns.items()}
            part = ExecutionChunk(columns, chunk.parameters)
            loops.observe(builder.add(part, last=last and start == starts[-1]))
    return detect(builder.finish([], 0), all_detectors(loops))


def write_log(
    path: Path, statements: Iterable[tuple[float, str, float, str]], *, parameters: str = ""
) -> str:
    """A csvlog of (second at the end, session, duration in ms, statement).

    With `parameters` all are executed with the same.
    """
    lines = []
    sent = "execute <unnamed>" if parameters else "statement"
    detail = f'"parameters: {parameters}"' if parameters else ""
    for line, (second, session, duration_ms, text) in enumerate(statements, 1):
        at = f"2026-11-22 08:{int(second) // 60:02d}:{second % 60:06.3f} UTC"
        quoted = text.replace('"', '""')
        lines.append(
            f'{at},"app","app",1,"127.0.0.1:1",{session},{line},"SELECT",2026-11-22 08:00:00 UTC,3/1,0,LOG,00000,'
            f'"duration: {duration_ms:.3f} ms  {sent}: {quoted}",{detail},,,,,,,,"web","client backend",,0\n'
        )
    path.write_text("".join(lines))
    return str(path)


def write_statistics(path: Path, rows: Iterable[tuple[str, int, float, int]]) -> str:
    """A pg_stat_statements CSV of (query, calls, milliseconds in all, rows)."""
    lines = ["userid,dbid,toplevel,queryid,query,calls,total_exec_time,rows"]
    for number, (query, calls, total_ms, returned) in enumerate(rows, 1):
        quoted = query.replace('"', '""')
        lines.append(f'10,5,t,{number},"{quoted}",{calls},{total_ms},{returned}')
    path.write_text("\n".join(lines) + "\n")
    return str(path)
