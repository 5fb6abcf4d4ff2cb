"""Secrets that a configuration names and does not hold: in an environment variable, or in a file."""

import os
from pathlib import Path
from typing import cast

from analyzer.configuration import Table
from analyzer.errors import UsageError
from analyzer.records import record


@record
class Secret:
    """Where a secret is: an environment variable or a file; `what` names its use in messages."""

    what: str
    variable: str | None = None
    file: Path | None = None

    @property
    def place(self) -> str:
        """Where it is looked for, in words."""
        return f"${self.variable}" if self.variable else str(self.file)

    def read(self) -> str:
        """The secret itself.

        Raises:
            UsageError: it is not there.
        """
        if self.variable:
            found = os.environ.get(self.variable, "")
        else:
            try:
                found = cast("Path", self.file).read_text(encoding="utf-8")
            except OSError as error:
                raise UsageError(
                    f"{self.what}: {self.file} cannot be read ({error.strerror})"
                ) from error
        if not found.strip():
            raise UsageError(f"{self.what}: {self.place} is empty or not set")
        return found.strip()


def read_secret(table: Table, name: str, folder: Path, what: str) -> Secret | None:
    """The secret that `<name>_env` or `<name>_file` names, None without either; `what` is its use in messages."""
    variable, file = table.text(f"{name}_env", None), table.text(f"{name}_file", None)
    if variable is None and file is None:
        return None
    if variable is not None and file is not None:
        table.refuse(f"{name}_env", f"and {name}_file are two answers to one question; give one")
    path = None if file is None else folder / Path(file).expanduser()
    return Secret(f"{table.where}: {what}", variable, path)
