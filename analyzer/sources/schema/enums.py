"""Enumerated types of a schema while it is being read: their labels by name."""

from analyzer.model.catalog import table_name
from analyzer.sql.definitions import AlterEnum, CreateEnum, DropEnum


def change_enums(
    enums: dict[str, tuple[str, ...]], change: CreateEnum | AlterEnum | DropEnum, schema: str
) -> None:
    """Apply one definition; `schema` is the one of names without any."""
    key = table_name(change.name.schema or schema, change.name.name)
    match change:
        case CreateEnum(_, labels):
            enums[key] = labels
        case AlterEnum():
            enums[key] = _altered(enums.get(key, ()), change)
        case DropEnum():
            enums.pop(key, None)


def _altered(labels: tuple[str, ...], change: AlterEnum) -> tuple[str, ...]:
    """An enum's labels after one is added, or renamed; one that is there already stays."""
    if change.old is not None:
        return tuple(change.label if label == change.old else label for label in labels)
    if change.label in labels:
        return labels
    place = len(labels)
    if change.neighbour in labels:
        place = labels.index(change.neighbour) + change.after
    return (*labels[:place], change.label, *labels[place:])
