"""Index advice as Markdown: what to create, to drop, and to decide."""

from typing import Any

from analyzer.report.formats import count, plural, size
from analyzer.report.index_words import measured_lines, verification_lines
from analyzer.report.values import Document
from analyzer.report.views._markdown_text import block, code, escape
from analyzer.report.views.hygiene import is_sure, parts

_SHOWN = 30


def indexes_text(document: Document) -> str:
    """The section, or nothing where no advice was computed or none is needed."""
    created = (document["indexes"] or {}).get("create") or []
    drops, notes = parts(document)
    if not (created or drops or notes):
        return ""
    lines = ["## Indexes", ""]
    for index in created[:_SHOWN]:
        lines += _created(index)
    lines += [line for text in verification_lines(document) for line in (escape(text, 600), "")]
    for drop in drops[:_SHOWN]:
        lines += _dropped(drop)
    for note in notes[:_SHOWN]:
        statement = f": {code(note['sql'])}" if note.get("sql") else ""
        lines.append(f"- {escape(note['text'], 600)}{statement}")
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
        *measured,
    ]


def _dropped(drop: dict[str, Any]) -> list[str]:
    sure = is_sure(drop)
    back = f"Back again: {code(drop['rollback'])}" if drop.get("rollback") else ""
    return [
        block(drop["sql"], "sql") if sure else f"To be reviewed first: {code(drop['sql'])}\n",
        f"Why: {escape(drop['reason'], 600)}; gives back {size(drop.get('bytes'))}.\\",
        f"Risk: {escape(drop.get('risk') or 'none known', 600)}" + ("\\" if back else ""),
        *([back] if back else []),
        "",
    ]
