"""A plan's settings as the report may show them: figures and PostgreSQL's own words stay, names of the team's go.

EXPLAIN (SETTINGS) prints what differs from the defaults, search_path among it, which holds a tenant's name
where each tenant has a schema. A document from elsewhere may hold any setting.
"""

from collections.abc import Mapping

from analyzer.patterns import regex
from analyzer.report.redaction import Redactor
from analyzer.sql.hidden_words import EXTENSIONS, NAMING, OWN_SCHEMAS

_NAME = regex(r"[A-Za-z_][\w$]{0,63}(?:\.[A-Za-z_][\w$]{0,63})?")
_FIGURE = regex(r"-?\d{1,15}(?:\.\d{1,15})?(?:e[-+]?\d{1,3})?\s?(?:B|kB|MB|GB|TB|us|ms|s|min|h|d)?")
_WORDS = frozenset(
    (
        *("on", "off", "true", "false", "yes", "no", "auto", "default", "partition", "regress"),
        *("force_custom_plan", "force_generic_plan", "strict_order", "relaxed_order"),
    )
)
_SCHEMA = regex(r'"(?:[^"]|"")*+"|[^,\s"]+')


def shown_settings(settings: Mapping[str, object], redactor: Redactor) -> dict[str, str]:
    """Each setting with its value, or with `?` where that may tell of the team's data."""
    if redactor.shows_values:
        return {name: str(value) for name, value in settings.items()}
    shown = {}
    for name, value in settings.items():
        if _NAME.fullmatch(name):
            shown[name] = _value(name.lower(), str(value))
        else:
            shown["?"] = "?"
    return shown


def _value(name: str, value: str) -> str:
    if name == "search_path":
        schemas = [one for one in _SCHEMA.findall(value) if one]
        return ", ".join(one if one.strip('"') in OWN_SCHEMAS else "?" for one in schemas)
    family, dot, _ = name.partition(".")
    if name in NAMING or (dot and family not in EXTENSIONS):
        return "?"
    return value if value in _WORDS or _FIGURE.fullmatch(value) else "?"
