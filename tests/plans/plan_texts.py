"""What tests of plans share: reading a text, what is compared, and how clients dress a text."""

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

from analyzer.model.plan import Plan, RecordedPlan
from analyzer.plans import read_plans

PLANS = Path(__file__).resolve().parents[1] / "data" / "plans"
MATRIX = PLANS / "version-matrix"
FORMATS = {"txt": "text", "yaml": "yaml", "xml": "xml", "json": "json"}

# Structure, conditions and estimates: what does not change from one run to the next.
STABLE = (
    *("id", "parent", "type", "parent_relationship", "subplan_name", "relation", "alias", "index"),
    *("join_type", "filter", "index_condition", "recheck_condition", "hash_condition"),
    *("merge_condition", "join_filter", "sort_key", "startup_cost", "total_cost"),
    *("rows_estimated", "width_bytes", "parallel_aware", "workers_planned", "never_executed"),
    "rows_digits",
)
# Printed in TEXT only where they are true.
FLAGS = frozenset(
    (
        *("Async Capable", "Disabled", "Inner Unique", "Single Copy", "Planned Partitions"),
        "Subplans Removed",
    )
)


def read(text: str, form: str = "text") -> list[Plan]:
    """The plans of a text."""
    return read_plans(RecordedPlan(text=text, format=form, origin="p", source=0))


def read_file(path: Path) -> Plan:
    """The one plan of a file, whose name tells its format."""
    (plan,) = read(path.read_text(), FORMATS[path.suffix[1:]])
    return plan


def stable(plan: Plan) -> list[dict[str, object]]:
    """What has to be the same in all formats."""
    return [{name: getattr(node, name) for name in STABLE} for node in plan.root.walk()]


def broken(text: str, width: int) -> str:
    """As a terminal breaks lines: after `width` characters, wherever that is."""
    return "\n".join(
        line[at : at + width]
        for line in text.split("\n")
        for at in range(0, max(len(line), 1), width)
    )


def by_words(text: str, width: int) -> str:
    """As a mail program breaks lines: at spaces."""
    return "\n".join(
        "\n".join(
            textwrap.wrap(
                line, width, break_long_words=False, expand_tabs=False, replace_whitespace=False
            )
        )
        for line in text.split("\n")
    )


def in_psql(text: str, width: int) -> str:
    """As one cell of psql's format wrapped."""
    rows = [" " * (width // 2) + "QUERY PLAN", "-" * width]
    for line in text.strip().split("\n"):
        parts = [line[at : at + width] for at in range(0, max(len(line), 1), width)]
        for number, part in enumerate(parts):
            end = "." if number < len(parts) - 1 else "+"
            rows.append(("." if number else " ") + part.ljust(width) + end)
    return "\n".join(rows) + "\n(1 row)\n"


def _lines(dress: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "\n".join(dress(line) for line in text.strip().split("\n"))


_STAMP = "2026-11-22 09:08:32.908 UTC [25316] postgres@postgres LOG:  "
DRESSES: Mapping[str, Callable[[str], str]] = {
    "pgadmin": lambda text: (
        '"QUERY PLAN"\n' + _lines(lambda line: '"' + line.replace('"', '""') + '"')(text)
    ),
    "dbeaver": lambda text: (
        "QUERY PLAN".ljust(250)
        + "|\n"
        + "-" * 250
        + "+\n"
        + _lines(lambda line: line.ljust(250) + "|")(text)
    ),
    "one cell of psql": lambda text: (
        f" QUERY PLAN \n{'-' * 130}\n"
        + _lines(lambda line: f" {line}".ljust(250) + "+")(text)
        + "\n(1 row)\n"
    ),
    "wrapped in psql": lambda text: in_psql(text, 60),
    "one cell of a CSV": lambda text: 'QUERY PLAN\n"' + text.strip().replace('"', '""') + '"\n',
    "a fence": lambda text: f"See:\n\n```\n{text}```\nWhat is wrong with it?\n",
    "a quotation": _lines("> {}".format),
    "a table": lambda text: "| QUERY PLAN |\n|---|\n" + _lines("| {} |".format)(text),
    "tabs": _lines("\t{}".format),
    "Windows": lambda text: text.replace("\n", "\r\n"),
    "a session": lambda text: (
        f"db=# EXPLAIN ANALYZE SELECT 1;\n{text}(9 rows)\n\nTime: 12.3 ms\ndb=# "
    ),
    "a log": lambda text: (
        f"{_STAMP}duration: 60.899 ms  plan:\n\tQuery Text: select 1\n\t from x;\n"
        + _lines("\t{}".format)(text)
        + f"\n{_STAMP}disconnection: session time: 0:00:00.1\n"
    ),
    "80 columns": lambda text: broken(text, 80),
    "132 columns": lambda text: broken(text, 132),
    "a mail": lambda text: by_words(text, 78),
}
