"""The views of a report, by the format's name; each sees the document and nothing else."""

from collections.abc import Callable, Mapping

from analyzer.report import document as report
from analyzer.report.values import Document
from analyzer.report.views import csv, html, markdown, table

RENDERERS: Mapping[str, Callable[[Document], str]] = {
    "html": html.render,
    "json": report.dump,
    "markdown": markdown.render,
    "csv": csv.render,
    "table": table.render,
}
