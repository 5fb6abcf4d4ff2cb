"""A plan on the page: a tree to open and close, its findings at their nodes, no values, a text to copy."""

import re
import textwrap
from html.parser import HTMLParser
from pathlib import Path

from click.testing import CliRunner

from analyzer.cli import cli

PLAN = """\
Query Text: SELECT c.name, o.amount FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.note = $1 AND o.kind = 'secret kind'
Query Parameters: $1 = 'secret note'
Hash Join  (cost=30.00..5000.00 rows=9 width=20) (actual time=2.000..61.000 rows=7 loops=1)
  Hash Cond: (o.customer_id = c.id)
  Buffers: shared hit=1900
  ->  Seq Scan on orders o  (cost=0.00..4900.00 rows=9 width=12) (actual time=1.000..58.000 rows=7 loops=1)
        Filter: ((o.note = 'secret note'::text) AND (o.kind = 'secret kind'::text))
        Rows Removed by Filter: 199993
        Buffers: shared hit=1870
  ->  Hash  (cost=20.00..20.00 rows=800 width=12) (actual time=0.900..0.900 rows=800 loops=1)
        Buckets: 1024  Batches: 1  Memory Usage: 46kB
        Buffers: shared hit=30
        ->  Seq Scan on customers c  (cost=0.00..20.00 rows=800 width=12) (actual time=0.010..0.400 rows=800 loops=1)
              Buffers: shared hit=30"""
_STAMP = "2026-11-22 09:08:34.084 UTC [77] app@shop LOG:"
LOGGED = (
    f"{_STAMP}  duration: 61.250 ms  plan:\n"
    + textwrap.indent(PLAN, "\t")
    + f"\n{_STAMP}  disconnection: session time: 0:00:01.000\n"
)


class Tree(HTMLParser):
    """The nodes of the first plan: (depth, whether marked, text of the summary), and texts to copy."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[tuple[int, bool, list[str]]] = []
        self.code: list[str] = []
        self._open: list[bool] = []  # of <details>: whether it is a node's
        self._inside: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "details":
            self._open.append("tree-node" in classes)
            if self._open[-1]:
                self.nodes.append((sum(self._open), "marked" in classes, []))
        elif tag in ("summary", "pre"):
            self._inside = tag
        elif tag == "rect" and "bar" in classes and self._inside == "summary" and self._open[-1]:
            self.nodes[-1][2].append(f"bar {dict(attrs)['width']}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self._open.pop()
        elif tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside == "summary" and self._open and self._open[-1]:
            self.nodes[-1][2].append(data)
        elif self._inside == "pre":
            self.code.append(data)


def page(tmp_path: Path, *arguments: str) -> str:
    log = tmp_path / "app.log"
    log.write_text(LOGGED)
    done = CliRunner().invoke(cli, ["plans", str(log), "--format", "html", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_nodes_are_nested_as_in_the_plan_and_findings_stand_at_theirs(tmp_path: Path) -> None:
    shown = page(tmp_path)
    tree = Tree()
    tree.feed(shown)
    assert [depth for depth, _, _ in tree.nodes] == [1, 2, 2, 3]
    assert [marked for _, marked, _ in tree.nodes] == [False, True, False, False]
    told = [" ".join(" ".join(texts).split()) for _, _, texts in tree.nodes]
    assert "Seq Scan on orders o" in told[1]
    assert "self 58" in told[1]
    assert "rows estimated 9" in told[1]
    bars = [
        float(width) for width in re.findall(r'<svg class="share".*?<rect width="([\d.]+)"', shown)
    ]
    assert max(bars) == bars[1]
    assert bars[1] > 50  # of 60: nearly all of the time


def test_the_plan_to_copy_is_whole_and_holds_no_values(tmp_path: Path) -> None:
    shown = page(tmp_path)
    assert "secret" not in shown
    tree = Tree()
    tree.feed(shown)
    (copied,) = [text for text in tree.code if "Hash Join" in text]
    lines = copied.strip().splitlines()
    assert sum("(cost=" in line for line in lines) == 4
    assert "Buckets: 1024  Batches: 1  Memory Usage: 46kB" in copied
    assert "  ->  Seq Scan on orders o  (cost=0.00..4900.00 rows=9 width=12)" in copied


def test_values_are_shown_where_that_is_asked_for(tmp_path: Path) -> None:
    shown = page(tmp_path, "--no-redact")
    assert shown.count("secret note") >= 3  # the parameter, the condition, the text to copy
    assert "secret kind" in shown
