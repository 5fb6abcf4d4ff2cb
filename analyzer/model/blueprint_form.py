"""A blueprint as plain values and back: the part of a snapshot's file that is there on request only."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from analyzer.errors import InputError
from analyzer.model.blueprint import Blueprint, ColumnStatistics, RelationStatistics

Row: TypeAlias = Any  # as read: what it is gets checked
HEAD, STATEMENTS, RELATIONS, COLUMNS = "blueprint", "statements", "relations", "columns"
_TEXTS = ("origin", "collation")
_MOST_PAGES = 2**32  # of a relation: PostgreSQL's own limit


def as_plain(blueprint: Blueprint) -> dict[str, Any]:
    """The blueprint as dicts, lists, texts and numbers: four keys of a document."""
    head = {
        "origin": blueprint.origin,
        "settings": dict(blueprint.settings),
        "search_path": list(blueprint.search_path),
        "collation": blueprint.collation,
        "server_version": blueprint.server_version,
        "warnings": list(blueprint.warnings),
    }
    return {
        HEAD: {name: value for name, value in head.items() if value is not None},
        STATEMENTS: list(blueprint.statements),
        RELATIONS: [
            [one.schema, one.name, one.pages, one.rows, one.all_visible, one.file_pages]
            for one in blueprint.relations
        ],
        COLUMNS: [
            [one.schema, one.relation, one.column, one.number, one.inherited, dict(one.values)]
            for one in blueprint.columns
        ],
    }


def from_plain(plain: Mapping[str, Any], name: str) -> Blueprint | None:
    """The blueprint in a document, None where it has none.

    Raises:
        InputError: a value is not what it should be; the message names the place.
    """
    head = plain.get(HEAD)
    if head is None:
        return None
    if not isinstance(head, dict):
        raise _wrong(name, HEAD)
    settings = head.get("settings", {})
    if not isinstance(settings, dict) or not _are_texts([*settings, *settings.values()]):
        raise _wrong(name, "settings")
    version = head.get("server_version")
    if version is not None and not _is_whole(version):
        raise _wrong(name, "server_version")
    for key in _TEXTS:
        if head.get(key) is not None and not isinstance(head[key], str):
            raise _wrong(name, key)
    return Blueprint(
        origin=f"{name} ({head.get('origin', 'a server')})",
        statements=_texts(plain.get(STATEMENTS), f"{name}: {STATEMENTS}"),
        relations=tuple(_relation(row, where) for row, where in _rows(plain, RELATIONS, name)),
        columns=tuple(_column(row, where) for row, where in _rows(plain, COLUMNS, name)),
        settings=settings,
        search_path=_texts(head.get("search_path", []), f"{name}: search_path"),
        collation=head.get("collation"),
        server_version=version,
        warnings=_texts(head.get("warnings", []), f"{name}: warnings"),
    )


def _rows(plain: Mapping[str, Any], key: str, name: str) -> Iterable[tuple[Any, str]]:
    value = plain.get(key)
    if not isinstance(value, list):
        raise _wrong(name, key)
    return ((row, f"{name}: {key}[{number}]") for number, row in enumerate(value))


def _relation(row: Row, where: str) -> RelationStatistics:
    match row:
        case [str(schema), str(name), pages, int() | float() as rows, visible, file_pages]:
            numbers = [pages, visible, 0 if file_pages is None else file_pages]
            if all(_is_whole(one) and 0 <= one < _MOST_PAGES for one in numbers):
                return RelationStatistics(schema, name, pages, float(rows), visible, file_pages)
    raise InputError(f"{where} are no sizes of a relation; the snapshot was edited")


def _column(row: Row, where: str) -> ColumnStatistics:
    match row:
        case [str(schema), str(relation), column, number, bool(inherited), dict(values)]:
            named = isinstance(column, str) or (column is None and _is_whole(number))
            if named and _are_texts([*values, *values.values()]):
                return ColumnStatistics(schema, relation, column, inherited, values, number)
    raise InputError(f"{where} are no statistics of a column; the snapshot was edited")


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not _are_texts(value):
        raise InputError(f"{where} is no list of texts; the snapshot was edited")
    return tuple(value)


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(name: str, key: str) -> InputError:
    return InputError(f"{name}: {key} is not what it should be; the snapshot was edited")
