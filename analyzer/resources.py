"""Where the files that travel with pg95 are: templates and the bundled sample.

In a wheel they lie inside the package; in a checkout (and an editable install) at the top of it.
"""

from pathlib import Path

from analyzer.errors import AnalyzerError

_PACKAGE = Path(__file__).resolve().parent


def _find(inside: str, outside: str) -> Path:
    for candidate in (_PACKAGE / inside, _PACKAGE.parent / outside):
        if candidate.is_dir():
            return candidate
    raise AnalyzerError(
        f"pg95's own files are missing: neither {_PACKAGE / inside} nor "
        f"{_PACKAGE.parent / outside} exists. Reinstall pg95."
    )


def templates_directory() -> Path:
    """The folder of Jinja2 templates."""
    return _find("templates", "reports/templates")


def sample_directory() -> Path:
    """The folder of bundled sample logs that `pg95 demo` analyses."""
    return _find("sample_logs", "sample_logs")
