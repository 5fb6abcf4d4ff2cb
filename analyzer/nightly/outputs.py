"""Files that others read while they are written: each is there whole, or as it was before."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.nightly.settings import Outputs
from analyzer.report.views import RENDERERS

_FORMS = {"html": "html", "json": "json", "md": "markdown", "csv": "csv"}
_MODE = 0o644


def paths_of(outputs: Outputs, made_at: datetime) -> dict[str, Path]:
    """Where the reports of a night go, by format."""
    return {form: Path(made_at.strftime(text)) for form, text in outputs.patterns.items()}


def write_outputs(
    document: Mapping[str, Any], outputs: Outputs, made_at: datetime, *, replace: bool = True
) -> dict[str, Path]:
    """Write a report in every format that is asked for; the paths written by format.

    Without `replace` what is there stays, both under its own name and as the latest: a night with
    nothing new has nothing that would be worth more.

    Raises:
        InputError: a file cannot be written.
    """
    written = {}
    for form, path in paths_of(outputs, made_at).items():
        if not replace and path.exists():
            continue
        write_whole(path, RENDERERS[_FORMS[form]](dict(document)))
        written[form] = path
        latest = path.with_name(f"latest.{form}")
        if outputs.latest == "none" or latest == path or (not replace and latest.exists()):
            continue
        _point(latest, path, link=outputs.latest == "symlink")
    return written


def read_text(path: Path) -> str:
    """What a file holds that an earlier night wrote; nothing if it is not there, or is no text.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def write_whole(path: Path, text: str) -> None:
    """Put a file where nobody sees half of it: written beside, on the disk, then renamed.

    Raises:
        InputError: it cannot be written; with the reason.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        made = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                os.fchmod(handle, _MODE)
                file.write(text)
                file.flush()
                os.fsync(handle)
            made.replace(path)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error


def _point(latest: Path, path: Path, *, link: bool) -> None:
    """Let `latest` be the report at `path`, without a moment in which it is not there."""
    made = latest.with_name(f".{latest.name}.{os.getpid()}")
    try:
        if link:
            made.unlink(missing_ok=True)
            made.symlink_to(path.name)
        else:
            shutil.copyfile(path, made)
        made.replace(latest)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise InputError(f"{latest}: cannot be written ({error.strerror or error})") from error
