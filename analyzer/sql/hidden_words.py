"""Values that SQL writes without quotes, or as names: what settings are set to, addresses, guesses.

Literals are found by tokens.py and are gone from the texts that come here. What is left and may be
data of the team's are words: `SET app.tenant TO acme`, a quoted name that is somebody's address, and
in a text that PostgreSQL cannot read, a word that stands where a value is compared.
"""

import re

from analyzer.model.names import is_private
from analyzer.patterns import regex

# Values that are names of roles, programs and places, whatever they look like.
NAMING = frozenset(
    (
        *("role", "session_authorization", "application_name", "cluster_name", "search_path"),
        *("default_tablespace", "temp_tablespaces", "default_text_search_config"),
    )
)
# Extensions whose settings say how to plan. `app.tenant_id` is an application's own.
EXTENSIONS = frozenset(
    ("hnsw", "ivfflat", "auto_explain", "pg_trgm", "pg_hint_plan", "postgres_fdw")
)
OWN_SCHEMAS = frozenset(("public", "pg_catalog", "pg_temp", "information_schema", "$user"))
_KEPT = frozenset(("default", "none", "on", "off", "true", "false")) | OWN_SCHEMAS
_SETTING = regex(
    r"""\A\s*+(?:alter\s[^;'=]{1,300}?\s)?set\s+(?:(?:local|session)\s+)?
        (?:(?P<name>[\w.]{1,128}|"[^"]{1,128}")\s*+(?:=|\bto\b)|(?P<who>role|session\s+authorization)\b)
        (?P<values>[^;]*)""",
    re.IGNORECASE | re.VERBOSE,
)
_WORD = regex(r'"(?:[^"]|"")*+"|(?<![\w$])[^\W\d][\w$.\-]*')
_QUOTED = regex(r'"((?:[^"]|"")++)"')
_COMPARED = regex(
    r"""(?P<how>(?:[=<>~]|\b(?:i?like|similar\s+to)\b)\s*+)
        (?P<words>(?!(?:any|all|some|array|row|null|true|false|select|case|cast|not|exists|interval|date|default|current_\w+)\b)
        [^\W\d][\w$]*+(?![\w$]*\s*[.(:])
        (?:\s+(?!(?:and|or|order|group|limit|offset|for|returning|union|then|else|end|when|where|from|having|set|on|as|is|in|between|like|join|left|inner|right)\b)[^\W\d][\w$]*+(?!\s*[.(]))*)""",
    re.IGNORECASE | re.VERBOSE,
)


def hide_words(text: str, placeholder: str = "?") -> str:
    """SQL without literals, with `placeholder` for the words of it that are values all the same."""
    if '"' in text and "@" in text:
        text = _QUOTED.sub(
            lambda found: f'"{placeholder}"' if is_private(found[1]) else found[0], text
        )
    found = _SETTING.match(text)
    if found is None or not _is_hidden(found):
        return text
    start, end = found.span("values")
    shown = _WORD.sub(
        lambda word: word[0] if word[0].strip('"').lower() in _KEPT else placeholder,
        text[start:end],
    )
    return text[:start] + shown + text[end:]


def hide_compared(text: str, placeholder: str = "?") -> str:
    """A text that cannot be parsed, with `placeholder` for bare words that something is compared with."""
    return _COMPARED.sub(lambda found: found["how"] + placeholder, text)


def _is_hidden(found: re.Match[str]) -> bool:
    """Whether the setting's value tells of the team's data."""
    if found["who"]:
        return True
    name = found["name"].strip('"').lower()
    family, dot, _ = name.partition(".")
    return name in NAMING or (bool(dot) and family not in EXTENSIONS)
