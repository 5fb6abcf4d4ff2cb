"""Which values may be shown: the one place where a report's texts are redacted.

Statements come here normalised (analyzer/sql/redact.py). What still quotes values are parameters, the
conditions and texts of plans, definitions of a catalog, names that applications give, and lines that
could not be read.
"""

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any

from analyzer.errors import UsageError
from analyzer.model.names import shown_name
from analyzer.records import record
from analyzer.report.placeholders import HIDDEN, Placeholders, given_key
from analyzer.sql.redact import redact_text

MODES = ("strict", "stable", "off")
_SHORTEST_QUOTE = 4
_CONDITIONS = frozenset({"filter", "expression", "condition", "index_condition"})


@record
class Redactor:
    """Takes values out of what evidence and plans quote.

    `mode` is strict, stable or off; `stable` gives equal values one name. `normalised` holds the statement texts that carry no literal
    any more; they are shown as they are (redacting again would lose their list marks).
    """

    mode: str
    normalised: Collection[str] = field(default=frozenset())
    stable: Placeholders | None = None
    known: dict[str, str] = field(default_factory=dict)  # what texts became: plans repeat theirs

    @staticmethod
    def of(mode: str, normalised: Collection[str] = frozenset()) -> "Redactor":
        """The redactor of one report.

        Raises:
            UsageError: there is no such mode, or the key of a stable one is too short.
        """
        if mode not in MODES:
            raise UsageError(f"unknown redaction {mode!r}: use one of {', '.join(MODES)}")
        return Redactor(mode, normalised, Placeholders(given_key()) if mode == "stable" else None)

    @property
    def shows_values(self) -> bool:
        """Whether values are left in, which the report then says of itself."""
        return self.mode == "off"

    def parameter(self, value: str) -> str:
        """One parameter of an execution."""
        if self.shows_values:
            return value
        return self.stable.of(value) if self.stable else HIDDEN

    def name(self, name: str) -> str:
        """The name of an application, user, database or host: without the values in it."""
        return name if self.shows_values else shown_name(name)

    def text(self, text: str) -> str:
        """SQL or a plan's condition."""
        if self.shows_values or text in self.normalised:
            return text
        shown = self.known.get(text)
        if shown is None:
            shown = redact_text(text, HIDDEN, self.stable.of if self.stable else None)
            self.known[text] = shown
        return shown

    def definition(self, statement: str) -> str:
        """A statement that defines what a catalog has, whose literals are the team's."""
        if self.shows_values or "'" not in statement:  # a number says how, and not what
            return statement
        return redact_text(statement, "'…'")

    def evidence(self, fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """A detector's evidence (`records.plain` of it) as the mode allows it to be shown, and what was quoted.

        The latter has every text that redaction changed, with what it became. Prose that quotes a condition word for
        word quotes the redacted one afterwards.
        """
        quoted: dict[str, str] = {}
        shown = {name: self._field(name, value, quoted) for name, value in fields.items()}
        if "reasons" in shown:
            shown["reasons"] = [requote(str(reason), quoted) for reason in shown["reasons"]]
        return shown, quoted

    def _field(self, name: str, value: Any, quoted: dict[str, str]) -> Any:  # noqa: ANN401 - walks any evidence
        if isinstance(value, str) and (
            name in _CONDITIONS or name == "sql" or name.endswith("_sql")
        ):
            shown = self.text(value)
            if shown != value:
                quoted[value] = shown
            return shown
        if name == "parameters" and isinstance(value, (list, tuple)):
            return [self.parameter(str(item)) for item in value]
        if isinstance(value, Mapping):
            return {key: self._field(str(key), item, quoted) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._field("", item, quoted) for item in value]
        return value


def requote(prose: str, quoted: Mapping[str, str]) -> str:
    """`prose` with each quoted raw text replaced by its redacted form, longest first.

    A text of a few characters may be part of any word, and is left alone.
    """
    for raw in sorted(quoted, key=len, reverse=True):
        if len(raw) >= _SHORTEST_QUOTE:
            prose = prose.replace(raw, quoted[raw])
    return prose
