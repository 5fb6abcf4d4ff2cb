"""The views of a report, by the format's name; each sees the document and nothing else.

A view is imported when it is first asked for: what one is made with (Jinja, rich) costs a run
that writes report.json alone as much as a hundred statements.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from analyzer.report import document as report
from analyzer.report.values import Document

Renderer = Callable[[Document], str]


def _view(name: str) -> Renderer:
    def render(document: Document) -> str:
        text: str = import_module(f"{__name__}.{name}").render(document)
        return text

    return render


RENDERERS: Mapping[str, Renderer] = {
    "html": _view("html"),
    "json": report.dump,
    "markdown": _view("markdown"),
    "csv": _view("csv"),
    "table": _view("table"),
}
