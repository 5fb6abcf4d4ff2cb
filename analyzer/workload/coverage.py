"""What the log itself leaves out: given, or inferred from its fastest entries."""

from collections.abc import Iterable
from dataclasses import replace

from analyzer.model.coverage import Coverage
from analyzer.model.sampling import LoggingSettings
from analyzer.workload.sampling import changes, doubts, logging_of, of_log

_CENSORED_FROM_MS = 1.0  # a log whose fastest entry is slower leaves fast ones out
_FEW = 20  # with fewer entries than this only a floor of _CENSORED_FEW_FROM_MS is a sign
_CENSORED_FEW_FROM_MS = 10.0
_ROUND_FIGURES = (1, 2, 3, 5, 10, 20, 25, 50, 100, 200, 250, 300, 500, 1000, 2000, 3000, 5000, 10000)  # fmt: skip


def note_logging(
    coverage: Coverage,
    sources: Iterable[int],
    options: LoggingSettings,
    server: LoggingSettings,
    first_us: int | None,
) -> None:
    """Fill `sampling` and `log_min_duration_ms`, and warn of what makes them doubtful.

    `sources` are those with executions on the server's clock, the first of all executions began at
    `first_us`.
    """
    sources = list(sources)
    log = of_log(coverage.logged_settings)
    made = logging_of(options, log, server)
    sampling = made.sampling if sources else None
    remedy = "--log-min-duration-ms 0" if sampling is None else "--log-min-duration-sample-ms 0"
    note_censoring(coverage, sources, made.minimum_ms, remedy)
    coverage.warnings += doubts(options, log, sampling) if sources else []
    if sampling is None:
        return
    if made.minimum_ms is None and coverage.log_min_duration_ms:
        sampling = replace(sampling, floor_ms=coverage.log_min_duration_ms)
    if sampling.threshold_ms is not None and sampling.floor_ms >= sampling.threshold_ms:
        return  # nothing below the threshold was logged at all
    coverage.sampling = sampling
    coverage.warnings += changes(coverage.logged_settings, first_us)


def note_censoring(
    coverage: Coverage, sources: Iterable[int], given: float | None, remedy: str
) -> None:
    """Fill `log_min_duration_ms`: given, or inferred from the fastest entry of each log in `sources`.

    `remedy` is the option that says that nothing was left out.
    """
    if given is not None:
        coverage.log_min_duration_ms = given if given > 0 else None
        return
    floors = []
    for number in sources:
        source = coverage.sources[number]
        floor = source.minimum_ms or 0.0
        needed = _CENSORED_FROM_MS if source.executions >= _FEW else _CENSORED_FEW_FROM_MS
        if floor >= needed:
            floors.append(max(figure for figure in _ROUND_FIGURES if figure <= floor))
    if floors:
        coverage.log_min_duration_ms = float(max(floors))
        coverage.log_min_duration_inferred = True
        coverage.warnings.append(
            f"no entry of the log is faster than {max(floors)} ms: it seems that the server logs slow statements only "
            f"(log_min_duration_statement = {max(floors)}). N+1 patterns and the exact P95 need every statement; "
            f"if there are no faster ones, say {remedy}"
        )
