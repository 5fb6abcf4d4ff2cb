"""Plans of auto_explain that a log cuts off, in each kind of log and each of EXPLAIN's formats."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.plans.recorded import read_recorded

Reading = Callable[..., Any]  # of a text into a recording: conftest.read_text
MESSAGE = 13  # of a csvlog's columns
FORMATS = {
    "text": 0,
    "json": 3,
    "yaml": 6,
    "xml": 9,
}  # which of the twelve plans is the first of a format


def of_stderr(log: str, change: Callable[[str], str]) -> str:
    entries = re.split(r"^(?=\d{4}-)", log, flags=re.MULTILINE)
    return "".join(
        change(entry).rstrip("\n") + "\n" if "plan:\n" in entry else entry for entry in entries
    )


def of_csvlog(log: str, change: Callable[[str], str]) -> str:
    rows = list(csv.reader(io.StringIO(log)))
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    for row in rows:
        if "plan:\n" in row[MESSAGE]:
            row[MESSAGE] = change(row[MESSAGE])
        writer.writerow(row)
    return made.getvalue()


def of_jsonlog(log: str, change: Callable[[str], str]) -> str:
    lines = []
    for line in log.splitlines():
        entry = json.loads(line)
        if "plan:\n" in entry.get("message", ""):
            entry["message"] = change(entry["message"])
        lines.append(json.dumps(entry, separators=(",", ":")) + "\n")
    return "".join(lines)


LOGS = {"log": of_stderr, "csv": of_csvlog, "json": of_jsonlog}


def halved(form: str) -> Callable[[str], str]:
    """Cuts the first plan of a format in a line in the middle of its text; the others stay whole."""
    seen = -1

    def change(text: str) -> str:
        nonlocal seen
        seen += 1
        if seen != FORMATS[form]:
            return text
        within = "(cost=" if form == "text" else "Actual" if form == "xml" else "Actual Lo"
        return text[: text.index(within, len(text) // 2) + len(within)]

    return change


@pytest.mark.parametrize("ending", LOGS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_message_that_was_cut_is_read_as_far_as_it_goes(
    data: Path, read_text: Reading, ending: str, form: str
) -> None:
    log = (data / f"plans/version-matrix/auto_explain-pg16.{ending}").read_text()
    whole = read_recorded(read_text(log, name=f"whole.{ending}").recording)
    found = read_text(LOGS[ending](log, halved(form)), name=f"cut.{ending}")
    assert (found.source.bytes_unparsed, found.source.plans) == (0, 12)
    plans = read_recorded(found.recording)
    cut = FORMATS[form]
    assert [plan.format for plan in plans] == [plan.format for plan in whole]
    for at, (ours, theirs) in enumerate(zip(plans, whole, strict=True)):
        types = [node.type for node in ours.root.walk()]
        assert types == [node.type for node in theirs.root.walk()][: len(types)]
        assert ours.statement == theirs.statement
        assert ours.truncated == (at == cut)
        assert (ours.key == theirs.key) == (at != cut)


@pytest.mark.parametrize("form", FORMATS)
def test_a_log_that_ends_within_a_plan(data: Path, read_text: Reading, form: str) -> None:
    """What stderr has is read as far as it goes; of a csvlog or jsonlog the record is broken, and told."""
    for ending in LOGS:
        log = (data / f"plans/version-matrix/auto_explain-pg16.{ending}").read_text()
        starts = [found.start() for found in re.finditer("plan:", log)]
        first = starts[FORMATS[form]]
        text = log[: (first + starts[FORMATS[form] + 1]) // 2]
        found = read_text(text, name=f"ends.{ending}")
        plans = read_recorded(found.recording)
        if ending == "log":
            assert len(plans) == FORMATS[form] + 1
            assert plans[-1].format == form
            assert plans[-1].truncated or form in (
                "text",
                "yaml",
            )  # between two lines it is not seen
        else:
            assert len(plans) == FORMATS[form]
            assert found.source.bytes_unparsed > 0
            assert any("could not be read" in one for one in found.recording.coverage.warnings)
        assert not any(plan.truncated for plan in plans[: FORMATS[form]])
