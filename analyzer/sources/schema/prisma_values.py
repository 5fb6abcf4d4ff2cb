"""What values of a schema.prisma mean: names, texts, defaults and referential actions."""

from collections.abc import Mapping

from analyzer.model.catalog import SEQUENCE
from analyzer.patterns import regex
from analyzer.sources.schema import prisma_syntax as syntax

_ACTIONS = {
    "NoAction": "NO ACTION",
    "Restrict": "RESTRICT",
    "Cascade": "CASCADE",
    "SetNull": "SET NULL",
    "SetDefault": "SET DEFAULT",
}
_FUNCTIONS = {"autoincrement": SEQUENCE, "now": "CURRENT_TIMESTAMP"}
_NUMBER = regex(r"-?\d+(?:\.\d+)?")


def mapped(attribute: syntax.Attribute | None) -> str | None:
    """The name in the database that a @map gives, None without one."""
    return text_of(attribute.argument("name", "")) if attribute else None


def names_of(value: syntax.Value | None) -> tuple[str, ...]:
    """The names in brackets."""
    return tuple(map(plain, value.items)) if isinstance(value, syntax.Array) else ()


def text_of(value: syntax.Value | None) -> str | None:
    """The text of a string, None for anything else."""
    return value.value if isinstance(value, syntax.Text) else None


def plain(value: syntax.Value | None) -> str:
    """The text of a string, number or name; a call's name; nothing for the rest."""
    if isinstance(value, syntax.Text | syntax.Number | syntax.Word):
        return value.value
    return value.name if isinstance(value, syntax.Call) else ""


def action_of(value: syntax.Value | None, otherwise: str) -> str:
    """SQL's words for onDelete or onUpdate, `otherwise` where the schema does not say."""
    return _ACTIONS.get(plain(value), otherwise)


def default_of(field: syntax.Field, labels: Mapping[str, str]) -> str | None:
    """A field's default in the database as SQL; None also where the client makes the value.

    Args:
        field: the field.
        labels: of an enum, its labels in the database by value.
    """
    attribute = field.attribute("default")
    return _sql(attribute.argument("value", ""), labels) if attribute else None


def _sql(value: syntax.Value | None, labels: Mapping[str, str]) -> str | None:
    if isinstance(value, syntax.Array):
        items = [_sql(item, labels) for item in value.items]
        return f"ARRAY[{', '.join(item or 'NULL' for item in items)}]"
    if isinstance(value, syntax.Call):
        if value.name == "dbgenerated":
            return plain(value.arguments[0].value) if value.arguments else None
        return _FUNCTIONS.get(value.name)  # uuid(), cuid() and the like are the client's work
    shown = plain(value)
    if isinstance(value, syntax.Text) or shown in labels:
        return "'" + labels.get(shown, shown).replace("'", "''") + "'"
    return shown if shown in ("true", "false") or _NUMBER.fullmatch(shown) else None
