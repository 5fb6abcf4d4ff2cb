"""Comments as they may be kept: the tags that say where a statement comes from, without other tags' values."""

import re
from urllib.parse import unquote

from analyzer.model.names import is_value, plain_path
from analyzer.patterns import regex

_IGNORED = regex(r"/\*\s*pg95:ignore [\w\-, ]{1,300}\*/")
_LIST_MARK = "/*, ... */"  # PostgreSQL 18's for what follows in a list
_PAIR = regex(r"([A-Za-z_][\w.\-]*)(\s*[=:]\s*)(?:'([^'\\]*+(?:\\.[^'\\]*+)*)'|([^\s,'*]+))")
_PATHS = frozenset(("route", "url", "path", "endpoint", "http_route"))
_WORDS = frozenset(
    (
        *("controller", "action", "framework", "db_driver", "application", "app", "app_name"),
        *("job", "job_name", "task", "task_name", "celery_task", "sidekiq_job", "worker", "queue"),
        *("queue_name", "prismaquery", "pg95"),
    )
)


def shown_comment(comment: str) -> str:
    """The comment if nothing in it is a value; else one of those tags that are none; or a space."""
    if comment == _LIST_MARK or _IGNORED.fullmatch(comment):
        return comment
    pairs = [(found, _shown(found)) for found in _PAIR.finditer(comment)]
    rest = _PAIR.sub("", comment)
    if pairs and all(found[0] == shown for found, shown in pairs) and not re.search(r"\w", rest):
        return comment
    kept = [shown for _, shown in pairs if shown]
    return f" /*{','.join(kept)}*/ " if kept else " "


def _shown(found: re.Match[str]) -> str | None:
    """A tag as it may be kept, None of one that may hold anything."""
    key = found[1].lower().replace("-", "_")
    value = unquote(found[3] if found[3] is not None else found[4])
    if key in _PATHS:
        plain = plain_path(value)
        if "*/" in plain or "'" in plain:
            return None
        return found[0] if plain == value else f"{found[1]}='{plain}'"
    return found[0] if key in _WORDS and not is_value(value) else None
