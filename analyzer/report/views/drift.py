"""`pg95 schema` for people: what differs and how to mend it, in a terminal and as Markdown."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from analyzer.report.formats import moment, ms, neutralise, one_line, plural
from analyzer.report.views.markdown import block, code, escape

_SIGNS = {"missing": "−", "extra": "+", "different": "≠"}
_WORDS = {
    "missing": "not in the database",
    "extra": "not in schema.prisma",
    "different": "not the same",
}
_STYLES = {"applied": "green", "pending": "yellow", "rolled-back": "yellow"}


def headline(document: dict[str, Any]) -> str:
    """Whether both are in sync, in a sentence."""
    found = document["differences"]
    if not found:
        return "schema.prisma and the database are in sync."
    unseen = sum(one["unseen"] is not None for one in found)
    more = f", {unseen} of them not seen by Prisma's own comparison" if unseen else ""
    return f"schema.prisma and the database differ in {plural(len(found), 'thing')}{more}."


def show(document: dict[str, Any], _width: int) -> list[RenderableType]:
    """The document as renderables for a terminal."""
    style = "bold green" if document["in_sync"] else "bold red"
    parts: list[RenderableType] = [
        Text(headline(document), style=style),
        Text(f"{', '.join(map(one_line, document['schema']))} against {one_line(document['database'])}", style="dim"),
    ]  # fmt: skip
    for table, found in _by_table(document["differences"]):
        parts += [Text(), Text(one_line(table), style="bold")]
        for one in found:
            parts += _difference(one)
    parts += states(document["migrations"])
    return parts


def _difference(one: dict[str, Any]) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(f"{_SIGNS[one['change']]} {_name(one)}: {_said(one)}")]
    side = "schema.prisma" if one["mend"] == "schema" else "the database, by a migration"
    detail = [f"Mend {side}: {one['why']}"]
    detail += [f"Look out: {one['risk']}"] if one["risk"] else []
    detail += [one["unseen"]] if one["unseen"] else []
    parts += [Padding(Text(neutralise(one["text"]), style="cyan"), (0, 0, 0, 4))]
    parts += [Padding(Text(one_line(line), style="dim"), (0, 0, 0, 4)) for line in detail]
    return parts


def _name(one: dict[str, Any]) -> str:
    return one_line(f"{one['subject'].replace('-', ' ')} {one['name'] or ''}".strip())


def _said(one: dict[str, Any]) -> str:
    if one["change"] != "different":
        return _WORDS[one["change"]]
    sides = (one["schema"] or "nothing", one["database"] or "nothing")
    return one_line(f"schema.prisma says {sides[0]}, the database {sides[1]}")


def _by_table(
    differences: Sequence[dict[str, Any]],
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    names = dict.fromkeys(one["table"] or "Types" for one in differences)
    for name in names:
        yield name, [one for one in differences if (one["table"] or "Types") == name]


def states(migrations: Sequence[dict[str, Any]] | None) -> list[RenderableType]:
    """Migrations that are not simply applied, with what mends them; nothing where none is known."""
    if migrations is None:
        return []
    parts: list[RenderableType] = [Text(), Text(tally(migrations), style="bold")]
    for one in migrations:
        if one["status"] == "applied":
            continue
        style = _STYLES.get(one["status"], "red")
        parts.append(Text(f"  {one_line(one['name'])}: {state_line(one)}", style=style))
        parts += [Text(f"      {one_line(one['error'])}")] if one["error"] else []
        parts += [Text(f"      {one_line(one['mend'])}", style="cyan")] if one["mend"] else []
    return parts


def tally(migrations: Sequence[dict[str, Any]]) -> str:
    """How many migrations there are of each state."""
    counts: dict[str, int] = {}
    for one in migrations:
        counts[one["status"]] = counts.get(one["status"], 0) + 1
    told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    return f"Migrations: {told or 'none'}"


def state_line(one: dict[str, Any]) -> str:
    """What became of a migration, with its time."""
    when = f", {moment(str(one['started']).replace('+00:00', 'Z'))}" if one["started"] else ""
    took = f", {ms(one['duration_ms'])}" if one["duration_ms"] is not None else ""
    return f"{one['status']}: {one_line(one['text'])}{when}{took}"


def render(document: dict[str, Any]) -> str:
    """The document as Markdown."""
    lines = [f"# {escape(headline(document))}", ""]
    for table, found in _by_table(document["differences"]):
        lines += [f"## {escape(table)}", ""]
        for one in found:
            lines += [f"**{escape(_name(one))}**: {escape(_said(one))}", ""]
            lines += [block(one["text"], one["language"])]
            side = "schema.prisma" if one["mend"] == "schema" else "the database, by a migration"
            lines += [f"Mend {side}: {escape(one['why'])}", ""]
            lines += [f"Look out: {escape(one['risk'])}", ""] if one["risk"] else []
            lines += [escape(one["unseen"]), ""] if one["unseen"] else []
    lines += states_markdown(document["migrations"])
    return "\n".join(lines).rstrip("\n") + "\n"


def states_markdown(migrations: Sequence[dict[str, Any]] | None) -> list[str]:
    """As `states`, lines of Markdown."""
    if migrations is None:
        return []
    lines = ["## Migrations", "", escape(tally(migrations)), ""]
    for one in migrations:
        if one["status"] != "applied":
            lines += [f"- {code(one['name'])}: {escape(state_line(one))}"]
            lines += [f"  {escape(one['error'])}"] if one["error"] else []
            lines += [f"  {code(one['mend'])}"] if one["mend"] else []
    return lines
