"""Index advice as Markdown: what to create, to drop, and to decide."""

from typing import Any

from analyzer.report.formats import count, plural, size
from analyzer.report.index_words import (
    measured_lines,
    prisma_head,
    prisma_others,
    verification_lines,
)
from analyzer.report.values import Document
from analyzer.report.views._markdown_text import block, code, escape
from analyzer.report.views.hygiene import is_sure, parts

_SHOWN = 30
_PATCH = 12_000  # characters of a patch


def indexes_text(document: Document) -> str:
    """The section, or nothing where no advice was computed or none is needed."""
    created = (document["indexes"] or {}).get("create") or []
    drops, notes = parts(document)
    made = (document["indexes"] or {}).get("prisma")
    if not (created or drops or notes or made):
        return ""
    lines = ["## Indexes", ""]
    for index in created[:_SHOWN]:
        lines += _created(index)
    lines += [line for text in verification_lines(document) for line in (escape(text, 600), "")]
    for drop in drops[:_SHOWN]:
        lines += _dropped(drop)
    for note in notes[:_SHOWN]:
        text = note.get("sql") or ""
        inline = f": {code(text)}" if text and "\n" not in text else ""
        lines.append(f"- {escape(note['text'], 600)}{inline}")
        lines += ["", block(text, "sql")] if text and not inline else []
    lines += _project(made) if made else []
    left = sum(max(0, len(some) - _SHOWN) for some in (created, drops, notes))
    lines += [f"*{count(left)} more in report.json.*"] if left else []
    return "\n".join(lines).rstrip("\n") + "\n"


def _created(index: dict[str, Any]) -> list[str]:
    served = (
        f"serves {plural(len(index['statements']), 'statement')}, about {size(index['bytes'])}; "
        f"verified by {escape(index['verified_by'])}"
    )
    measured = [f"- {escape(line, 600)}" for line in measured_lines(index)]
    measured += [""] if measured else []
    return [
        block(index["sql"], "sql"),
        f"Why: {escape(index.get('rule') or '')}; {served}.\\",
        f"Trade-off: {escape(index.get('risk') or '', 600)}",
        "",
        *([f"{escape(index['fill_in'], 600)}", ""] if index.get("fill_in") else []),
        *(f"- {code(line)}" for line in index.get("settings") or ()),
        *([""] if index.get("settings") else []),
        *measured,
    ]


def _project(made: dict[str, Any]) -> list[str]:
    """The change of a Prisma project: the schema's patch, and each migration as a file."""
    lines = ["", "### As a change of the Prisma project", "", escape(prisma_head(made), 600), ""]
    if made["schema_patch"]:
        lines += [block(made["schema_patch"].rstrip("\n"), "diff", _PATCH)]
    for one in made["migrations"][:_SHOWN]:
        lines += [code(one["path"]), "", block(one["sql"].rstrip("\n"), "sql")]
    left = len(made["migrations"]) - _SHOWN
    lines += [f"*{count(left)} more migrations in report.json.*", ""] if left > 0 else []
    for other in prisma_others(made):
        statement = f": {code(other['sql'])}" if other["sql"] else ""
        lines.append(f"- {escape(other['text'], 600)}{statement}")
    return lines


def _dropped(drop: dict[str, Any]) -> list[str]:
    sure = is_sure(drop)
    back = f"Back again: {code(drop['rollback'])}" if drop.get("rollback") else ""
    measured = (
        f"Measured: {escape(drop['verification'], 600)}.\\" if drop.get("verification") else ""
    )
    return [
        block(drop["sql"], "sql") if sure else f"To be reviewed first: {code(drop['sql'])}\n",
        f"Why: {escape(drop['reason'], 600)}; gives back {size(drop.get('bytes'))}.\\",
        *([measured] if measured else []),
        f"Risk: {escape(drop.get('risk') or 'none known', 600)}" + ("\\" if back else ""),
        *([back] if back else []),
        "",
    ]
