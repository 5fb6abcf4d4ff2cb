"""What was measured, as Markdown: tables, what must be reached, and the block in the document."""

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from measuring import MB, Usage, log_log_slope

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
RATIO_GOALS = {"stderr": 60, "csvlog": 45, "jsonlog": 30}  # times pgBadger's MB per CPU-second
SCAN_GOAL = 400  # MB per CPU-second
REFERENCE_GOAL = 30  # MB per CPU-second
PEAK_GOAL_MB, PEAK_AT_MB = 300, 2000
SLOPE_GOAL = 1.05
WORKERS_GOAL = 1.7
_LARGE_MB = 100  # from here on start-up no longer flatters the growth


@dataclass(slots=True)
class Runs:
    """A program's runs over the same bytes."""

    size_bytes: int
    usages: list[Usage] = field(default_factory=list)

    @property
    def mb(self) -> float:
        """What was read, in MB (10^6 bytes)."""
        return self.size_bytes / MB

    @property
    def cpu_s(self) -> float:
        """The median of the runs' CPU seconds."""
        return median(usage.cpu_s for usage in self.usages)

    @property
    def wall_s(self) -> float:
        """The median of the runs' wall-clock seconds."""
        return median(usage.wall_s for usage in self.usages)

    @property
    def rate(self) -> float:
        """MB per CPU-second."""
        return self.mb / self.cpu_s

    @property
    def peak_mb(self) -> float:
        """The largest resident size of all runs, in MB."""
        return max(usage.peak_bytes for usage in self.usages) / MB


@dataclass(slots=True)
class Comparison:
    """pg95 over a log and over pgBadger's slice of it, and pgBadger (None: not installed)."""

    log_format: str
    whole: Runs
    sliced: Runs
    peer: Runs | None
    scanner: str = ""
    wrong: list[str] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """How many times pgBadger's MB per CPU-second pg95 reads, pair by pair of runs."""
        if self.peer is None:
            return []
        return [
            (self.whole.mb / ours.cpu_s) / (self.peer.mb / theirs.cpu_s)
            for ours, theirs in zip(self.whole.usages, self.peer.usages, strict=True)
        ]


@dataclass(slots=True)
class Results:
    """Everything that was measured; what was not is empty."""

    facts: dict[str, str]
    comparisons: list[Comparison] = field(default_factory=list)
    scans: dict[str, Runs] = field(default_factory=dict)
    references: dict[str, tuple[Runs, str]] = field(default_factory=dict)
    growth_format: str = ""
    growth: list[Runs] = field(default_factory=list)
    workers: list[tuple[Usage, Usage]] = field(default_factory=list)
    workers_one: list[tuple[Usage, Usage]] = field(default_factory=list)  # of one file
    workers_mb: float = 0.0
    at_once: list[float] = field(default_factory=list)  # what two runs at once do, one being 1
    notes: list[str] = field(default_factory=list)

    def slopes(self) -> tuple[float, float | None] | None:
        """The log-log slopes of CPU over bytes: of all points, and from 100 MB on."""
        points = [(float(runs.size_bytes), runs.cpu_s) for runs in self.growth]
        large = [point for point in points if point[0] >= _LARGE_MB * MB * 0.99]
        if len(points) < 2:
            return None
        return log_log_slope(points), log_log_slope(large) if len(large) > 1 else None


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _usage_cells(runs: Runs) -> list[str]:
    return [
        f"{runs.mb:.1f}", f"{runs.cpu_s:.2f}", f"{runs.rate:.1f}", f"{runs.wall_s:.2f}",
        f"{runs.peak_mb:.0f}",
    ]  # fmt: skip


_USAGE_HEAD = ["MB read", "CPU s", "MB per CPU-second", "wall s", "peak MB"]


def _comparison_rows(comparison: Comparison) -> list[list[str]]:
    ratios = comparison.ratios()
    ratio = f"{median(ratios):.1f}× ({min(ratios):.1f}–{max(ratios):.1f})" if ratios else "unknown"
    right = "; ".join(comparison.wrong) or "as the truth"
    name = comparison.log_format
    rows = [
        [name, "pg95", *_usage_cells(comparison.whole), ratio, right],
        [name, "pg95, the slice", *_usage_cells(comparison.sliced), "", ""],
    ]
    if comparison.peer is not None:
        rows.append([name, "pgBadger, the slice", *_usage_cells(comparison.peer), "1×", ""])
    return rows


def _verdict(*, reached: bool) -> str:
    return "reached" if reached else "**not reached**"


def goals(results: Results) -> list[list[str]]:
    """A row per thing that must be reached: what, how much, measured, the verdict."""
    rows = []
    compared = {comparison.log_format: comparison for comparison in results.comparisons}
    for log_format, goal in RATIO_GOALS.items():
        comparison = compared.get(log_format)
        ratios = comparison.ratios() if comparison else []
        ratio = median(ratios) if ratios else None
        row = _goal(f"{log_format}, times pgBadger", "≥", goal, ratio, "×")
        if comparison and comparison.wrong:
            row[-1] = "**not reached**: the figures are wrong"
        rows.append(row)
    scan = min((runs.rate for runs in results.scans.values()), default=None)
    rows.append(_goal("the scan alone, slowest format", "≥", SCAN_GOAL, scan, " MB/CPU-s"))
    at_size = [runs for runs in results.growth if runs.mb >= PEAK_AT_MB * 0.99]
    peak = at_size[-1].peak_mb if at_size else None
    rows.append(_goal("peak memory at 2 GB", "≤", PEAK_GOAL_MB, peak, " MB"))
    slopes = results.slopes()
    # Start-up flattens the curve, so it counts only where it reaches beyond that.
    slope = max(slopes[0], slopes[1]) if slopes and slopes[1] is not None else None
    rows.append(_goal("growth of CPU, log-log slope", "≤", SLOPE_GOAL, slope, ""))
    speed_up = median(a.wall_s / b.wall_s for a, b in results.workers) if results.workers else None
    rows.append(_goal("two workers, four files", "≥", WORKERS_GOAL, speed_up, "×"))
    slow = min((runs.rate for runs, _ in results.references.values()), default=None)
    name = "the pure-Python reference, slowest format"
    rows.append(_goal(name, "≥", REFERENCE_GOAL, slow, " MB/CPU-s"))
    return rows


def missed(results: Results) -> list[str]:
    """A line for each goal that was measured and not reached."""
    lacking = _verdict(reached=False)
    return [
        f"{name}: {goal} wanted, {measured} measured{verdict.removeprefix(lacking)}"
        for name, goal, measured, verdict in goals(results)
        if verdict.startswith(lacking)
    ]


def _goal(name: str, sign: str, goal: float, value: float | None, unit: str) -> list[str]:
    if value is None:
        return [name, f"{sign} {goal:g}{unit}", "not measured", "unknown"]
    reached = value >= goal if sign == "≥" else value <= goal
    return [name, f"{sign} {goal:g}{unit}", f"{value:.2f}{unit}", _verdict(reached=reached)]


def markdown(results: Results) -> str:
    """All tables."""
    lines = [", ".join(f"{name}: {value}" for name, value in results.facts.items()) + ".", ""]
    lines += _table(["must reach", "goal", "measured", "verdict"], goals(results))
    if results.comparisons:
        rows = [row for each in results.comparisons for row in _comparison_rows(each)]
        lines += ["Whole programs:", ""]
        head = ["format", "program", *_USAGE_HEAD, "times pgBadger", "figures"]
        lines += _table(head, rows)
        told = {each.scanner for each in results.comparisons}
        lines += [f"Reader of pg95 as its coverage tells: {', '.join(sorted(told))}.", ""]
    if results.scans:
        scans = [[name, *_usage_cells(runs)] for name, runs in results.scans.items()]
        lines += ["The scan alone (no start-up, no report):", ""]
        lines += _table(["format", *_USAGE_HEAD], scans)
    if results.references:
        references = [
            [name, *_usage_cells(runs), scanner]
            for name, (runs, scanner) in results.references.items()
        ]
        lines += ["The pure-Python reference, whole program:", ""]
        lines += _table(["format", *_USAGE_HEAD, "reader told"], references)
    lines += _growth_lines(results) + _workers_lines(results)
    lines += [f"- {note}" for note in results.notes]
    return "\n".join(lines).rstrip() + "\n"


def _growth_lines(results: Results) -> list[str]:
    if not results.growth:
        return []
    lines = [f"Growth ({results.growth_format}):", ""]
    lines += _table(_USAGE_HEAD, [_usage_cells(runs) for runs in results.growth])
    slopes = results.slopes()
    if slopes is not None:
        peaks = [(float(runs.size_bytes), runs.peak_mb) for runs in results.growth]
        large = "not measured" if slopes[1] is None else f"{slopes[1]:.3f}"
        cpu = f"Log-log slope of CPU over bytes: {slopes[0]:.3f}, from {_LARGE_MB} MB on {large}"
        lines += [f"{cpu}; of peak memory over bytes: {log_log_slope(peaks):.3f}.", ""]
    return lines


def _workers_lines(results: Results) -> list[str]:
    lines = []
    for what, pairs in (("Four files", results.workers), ("One file", results.workers_one)):
        if pairs:
            one, two = (median(pair[n].wall_s for pair in pairs) for n in (0, 1))
            cpu_one, cpu_two = (median(pair[n].cpu_s for pair in pairs) for n in (0, 1))
            ratios = [first.wall_s / second.wall_s for first, second in pairs]
            times = f"{one:.2f} s with one worker, {two:.2f} s with two, wall clock"
            ratio = f"{median(ratios):.2f}× ({min(ratios):.2f}–{max(ratios):.2f})"
            cost = f"{cpu_one:.2f} and {cpu_two:.2f} CPU s"
            lines += [f"{what} of {results.workers_mb:.0f} MB: {times}, {ratio}; {cost}.", ""]
    if results.at_once:
        span = f"({min(results.at_once):.2f}–{max(results.at_once):.2f})"
        what = f"Two reports of one file at once, a process each, do {median(results.at_once):.2f}× what one does {span}"
        lines += [f"{what}: what two cores are worth here.", ""]
    return lines


def write_block(document: Path, block: str) -> None:
    """Replace what stands between the markers of a document.

    Raises:
        ValueError: it does not have both markers, once and in order.
    """
    text = document.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"{document.name} needs the lines {BEGIN} and {END}, once each")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    document.write_text(f"{head}{BEGIN}\n\n{block.strip()}\n\n{END}{tail}", encoding="utf-8")
