"""The configuration file: found, read, and refused where it says what nothing understands.

It is the file of `--config`, else ./pg95.toml, else the table `[tool.pg95]` of ./pyproject.toml.
Each section is read by whoever needs it, from the `Table` that `Configuration.table` is:

    @record
    class Server:
        name: str
        dsn: str

    def read_servers(configuration: Configuration) -> tuple[Server, ...]:
        servers = []
        for table in configuration.table.tables("servers"):
            servers.append(Server(table.text("name"), table.text("dsn")))
            table.end()
        return tuple(servers)

A section's name has to be in `SECTIONS`: names that are not are refused when the file is read.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from analyzer.errors import UsageError
from analyzer.model.target import DIMENSIONS, PatternTarget, Target
from analyzer.records import record

FILE = "pg95.toml"
PROJECT_FILE = "pyproject.toml"
SECTIONS = (
    *("target", "targets", "history", "servers", "logs", "outputs", "alerts", "metrics"),
    "scoreboard",
    "redis",
)

Value = TypeVar("Value")
_REQUIRED: Any = object()
_KINDS: Mapping[type, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list in square brackets",
    dict: "a table",
}


class Table:
    """A table of a configuration file, whose values are asked for by key and type.

    `where` names it in errors: "pg95.toml: [[targets]] number 2". A key without a default has to be
    there. When all was asked for, `end` refuses keys that nobody asked for: they are typing errors.
    """

    def __init__(self, file: str, path: str, values: Mapping[str, Any], number: int = 0) -> None:
        """`path` is its name with those of the tables around it, `number` its place in a list (1 …)."""
        listed = f": [[{path}]] number {number}" if number else f": [{path}]"
        self.where = file + (listed if path else "")
        self._file, self._path = file, path
        self._values = values
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, default: Value = _REQUIRED) -> str | Value:
        """A text."""
        found: str | Value = self._value(key, str, default)
        return found

    def flag(self, key: str, default: Value = _REQUIRED) -> bool | Value:
        """True or false."""
        found: bool | Value = self._value(key, bool, default)
        return found

    def integer(self, key: str, default: Value = _REQUIRED) -> int | Value:
        """A whole number."""
        found: int | Value = self._value(key, int, default)
        return found

    def number(self, key: str, default: Value = _REQUIRED) -> float | Value:
        """A number, whole or not."""
        if isinstance(self._values.get(key), int) and not isinstance(self._values[key], bool):
            self._asked.append(key)
            return float(self._values[key])
        found: float | Value = self._value(key, float, default)
        if isinstance(found, float) and not math.isfinite(found):
            self.refuse(key, "has to be a number that is neither infinite nor nan")
        return found

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of texts."""
        found: Sequence[Any] = self._value(key, list, list(default))
        for one in found:
            if not isinstance(one, str):
                self.refuse(key, f"has to hold texts in quotes only, not {one!r}")
        return tuple(found)

    def table(self, key: str) -> "Table | None":
        """A table within this one, `[key]`; None where there is none."""
        found: Mapping[str, Any] | None = self._value(key, dict, None)
        return None if found is None else Table(self._file, self._within(key), found)

    def tables(self, key: str) -> tuple["Table", ...]:
        """The tables of a list, `[[key]]` each; none where there is no list."""
        found: Sequence[Any] = self._value(key, list, [])
        path = self._within(key)
        for one in found:
            if not isinstance(one, dict):
                self.refuse(key, f"has to be tables, each under [[{path}]]")
        return tuple(Table(self._file, path, one, place) for place, one in enumerate(found, 1))

    def end(self, known: Sequence[str] = ()) -> None:
        """Refuse keys that were not asked for and are not `known` either.

        Raises:
            UsageError: there is one; the nearest key that is known is named.
        """
        asked = list(dict.fromkeys([*self._asked, *known]))
        for key in self._values:
            if key in asked:
                continue
            near = difflib.get_close_matches(key, asked, n=1, cutoff=0.5)
            meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(asked))}"
            raise UsageError(f"{self.where}: {key} is not known; {meant}")

    def refuse(self, key: str, why: str) -> NoReturn:
        """Refuse a key's value.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{self.where}: {key} {why}")

    def _value(self, key: str, kind: type, default: Any) -> Any:  # noqa: ANN401 - TOML holds any type
        self._asked.append(key)
        if key not in self._values:
            if default is _REQUIRED:
                raise UsageError(f"{self.where}: {key} is missing: {_KINDS[kind]}")
            return default
        value = self._values[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.refuse(key, f"has to be {_KINDS[kind]}, not {_shown(value)}")
        return value

    def _within(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


@record
class Configuration:
    """What is configured. `path` is the file, None where there is none.

    `target` is None where none is given. `table` is the whole, for the sections that others read.
    """

    path: Path | None = None
    target: Target | None = None
    targets: tuple[PatternTarget, ...] = ()
    table: Table = field(default_factory=lambda: Table("no configuration", "", {}))


def read_configuration(named: str | None = None, folder: Path | None = None) -> Configuration:
    """The configuration of the file `named` (--config), else of what `folder` (the current) has.

    Raises:
        UsageError: the file named is not there, or one is no TOML or says what is not known.
    """
    if named is not None:
        return _read(Path(named), f"--config {named}")
    folder = folder or Path()
    if (folder / FILE).is_file():
        return _read(folder / FILE, str(folder / FILE))
    project = folder / PROJECT_FILE
    # What is wrong with another program's file is its own affair, as long as it has nothing of ours.
    if project.is_file() and b"pg95" in project.read_bytes():
        return _read(project, str(project))
    return Configuration()


def _read(path: Path, shown: str) -> Configuration:
    import tomllib  # noqa: PLC0415 - only who has such a file pays for it

    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{shown}: not UTF-8 at byte {error.start}, which TOML has to be"
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{shown}: no TOML: {error}") from error
    table = Table(shown, "", values)
    if path.name == PROJECT_FILE:
        tool = table.table("tool")
        own = None if tool is None else tool.table("pg95")
        if own is None:
            return Configuration()
        table = own
    target = _target(table)
    targets = _targets(table, (target or Target()).quantile)
    table.end(SECTIONS)
    return Configuration(path, target, targets, table)


def _target(table: Table) -> Target | None:
    """`[target]`: what --target-ms and --quantile are where they are not given."""
    found = table.table("target")
    if found is None:
        return None
    usual = Target()
    target = Target(_ms(found, usual.ms), _quantile(found, usual.quantile))
    found.end()
    return target


def _targets(table: Table, quantile: float) -> tuple[PatternTarget, ...]:
    """`[[targets]]`: targets of their own, with the quantile of `[target]` where they name none."""
    made = []
    for one in table.tables("targets"):
        patterns = {name: one.text(name) for name in DIMENSIONS if name in one}
        target = Target(_ms(one), _quantile(one, quantile))
        one.end(DIMENSIONS)
        if not patterns:
            raise UsageError(f"{one.where}: say what it is about: {', '.join(DIMENSIONS)}")
        if "route" in patterns and {"statement", "table"} & patterns.keys():
            raise UsageError(
                f"{one.where}: a route's target is about whole requests, so no statement or table "
                "narrows it down; give them a target of their own"
            )
        made.append(PatternTarget(patterns, target))
    return tuple(made)


def _ms(table: Table, default: float = _REQUIRED) -> float:
    found = table.number("ms", default)
    if found <= 0:
        table.refuse("ms", f"has to be above 0, not {found:g}")
    return found


def _quantile(table: Table, default: float) -> float:
    found = table.number("quantile", default)
    if not 0 < found <= 1:
        table.refuse("quantile", f"has to be above 0 and at most 1 (0.95), not {found:g}")
    return found


def _shown(value: Any) -> str:  # noqa: ANN401 - TOML holds any type
    """A wrong value as an error names it, cut short; what is no text or number by its kind."""
    if isinstance(value, (str, bool, int, float)):
        text = repr(value).lower() if isinstance(value, bool) else repr(value)
        return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - as much as a line holds
    return _KINDS.get(type(value), type(value).__name__)
