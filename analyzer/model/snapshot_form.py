"""A snapshot as plain values and back: the one form in which files and stores keep it.

Fields that are None are left out. What is read back is held against the types of the dataclasses, as
a file may have been edited or cut; fields that are not known (a newer pg95's) are passed over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from analyzer.errors import InputError
from analyzer.model import blueprint_form
from analyzer.model.snapshot import DatabaseUse, IndexUse, ServerIdentity, Snapshot, TableUse
from analyzer.model.statement import StatementCounters

FORM_VERSION = 1
FORM_KEY = "pg95_snapshot"

Fact = TypeVar("Fact")
_ROWS: Mapping[str, type[Any]] = {
    "counters": StatementCounters,
    "databases": DatabaseUse,
    "tables": TableUse,
    "indexes": IndexUse,
}
_NUMBERS = ("taken_us", "reset_us", "evictions", "hidden", "replicas")
_PLAIN = (*_NUMBERS, "settings", "io", "warnings")
_OF_A_RUN = ("source", "shape_id", "limited")  # of counters: filled in by whoever reads them


def as_plain(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as dicts, lists, texts and numbers."""
    plain: dict[str, Any] = {FORM_KEY: FORM_VERSION, "server": _plain(snapshot.server)}
    plain |= {
        name: value for name in _PLAIN if (value := getattr(snapshot, name)) not in (None, ())
    }
    plain["own"] = [list(key) for key in snapshot.own]
    plain |= {name: [_plain(row) for row in getattr(snapshot, name)] for name in _ROWS}
    planner = snapshot.blueprint
    return plain | (blueprint_form.as_plain(planner) if planner is not None else {})


def from_plain(plain: object, name: str) -> Snapshot:
    """The snapshot that `as_plain` made this of.

    Args:
        plain: what was read.
        name: the file or place it was read from, for messages.

    Raises:
        InputError: it is no snapshot, is of a newer form, or a value is not what it should be.
    """
    if not isinstance(plain, dict) or FORM_KEY not in plain:
        raise InputError(f"{name}: is no snapshot; `pg95 snapshot -o FILE` writes one")
    if plain[FORM_KEY] != FORM_VERSION:
        raise InputError(
            f"{name}: is a snapshot of form {plain[FORM_KEY]!r}, and this pg95 reads form "
            f"{FORM_VERSION}; read it with the pg95 that wrote it, or a newer one"
        )
    rows = {
        key: [
            _fact(kind, row, f"{name}: {key}[{number}]")
            for number, row in _listed(plain, key, name)
        ]
        for key, kind in _ROWS.items()
    }
    given: dict[str, Any] = {key: plain[key] for key in _PLAIN if key in plain}
    for key in ("settings", "io"):
        given[key] = _mapping(given.get(key, {}), f"{name}: {key}")
    own = [_text_key(key, f"{name}: own[{number}]") for number, key in _listed(plain, "own", name)]
    warnings = [str(one) for _, one in _listed(plain, "warnings", name)]
    server = _fact(ServerIdentity, plain.get("server"), f"{name}: server")
    for key in _NUMBERS:
        if key in given and not _fits(given[key], int):
            raise InputError(f"{name}: {key} is {given[key]!r}, which is no whole number")
    if "taken_us" not in given:
        raise InputError(f"{name}: taken_us is missing; the snapshot was cut or edited")
    given |= {"server": server, "own": own, "warnings": warnings, **rows}
    return Snapshot(**given, blueprint=blueprint_form.from_plain(plain, name))


def _plain(fact: object) -> dict[str, Any]:
    found = ((one.name, getattr(fact, one.name)) for one in fields(fact))  # type: ignore[arg-type] # a dataclass
    return {name: value for name, value in found if value is not None and name not in _OF_A_RUN}


def _listed(plain: Mapping[str, Any], key: str, name: str) -> Iterable[tuple[int, Any]]:
    value = plain.get(key, [])
    if not isinstance(value, list):
        raise InputError(f"{name}: {key} is no list; the snapshot was edited")
    return enumerate(value)


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where} is no object; the snapshot was edited")
    return value


def _text_key(value: object, where: str) -> tuple[int, str]:
    match value:
        case [int(database), str(query_id)]:
            return database, query_id
    raise InputError(f"{where} is {value!r}, not a database's number and a query id")


def _fact(kind: type[Fact], value: object, where: str) -> Fact:
    """A dataclass from a mapping of its fields."""
    row = _mapping(value, where)
    given = {}
    for name, (hint, needed) in _expected(cast("Any", kind)).items():
        if name in row:
            if not _fits(row[name], hint):
                raise InputError(f"{where}: {name} is {str(row[name])[:80]!r}, which it cannot be")
            given[name] = row[name]
        elif needed:
            raise InputError(f"{where}: {name} is missing; the snapshot was cut or edited")
        elif _optional(hint):
            given[name] = None
    return kind(**given)


@cache
def _expected(kind: type[Any]) -> dict[str, tuple[Any, bool]]:
    """The fields of a dataclass: their types, and whether they have to be there."""
    hints = get_type_hints(kind)
    return {
        one.name: (hints[one.name], one.default is MISSING and not _optional(hints[one.name]))
        for one in fields(kind)
    }


def _optional(hint: object) -> bool:
    return get_origin(hint) is UnionType and type(None) in get_args(hint)


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401 - a type, or a union of some
    """Whether a value read from JSON is of a type; a whole number is a float, too."""
    allowed = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    if isinstance(value, bool):
        return bool in allowed
    return isinstance(value, tuple(allowed)) or (isinstance(value, int) and float in allowed)
