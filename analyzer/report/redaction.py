"""Which values of an evidence may be shown: parameters, plan conditions, raw statement texts."""

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any

from analyzer.errors import UsageError
from analyzer.records import record
from analyzer.sql.redact import redact_text

MODES = ("strict", "stable", "off")
STABLE_WARNING = (
    "--redact stable is treated as strict: every value is shown as ?, equal values cannot be told."
)
_SHORTEST_QUOTE = 4
_CONDITIONS = frozenset({"filter", "expression", "condition", "index_condition"})


@record
class Redactor:
    """Takes values out of what evidence and plans quote.

    `mode` is strict, stable or off. `normalised` holds the statement texts that carry no literal
    any more; they are shown as they are (redacting again would lose their list marks).
    """

    mode: str
    normalised: Collection[str] = field(default=frozenset())

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"unknown redaction {self.mode!r}: use one of {', '.join(MODES)}")

    @property
    def shows_values(self) -> bool:
        """Whether values are left in, which the report then says of itself."""
        return self.mode == "off"

    def parameter(self, value: str) -> str:
        """One parameter of an execution."""
        return value if self.shows_values else "?"

    def text(self, text: str) -> str:
        """SQL or a plan's condition."""
        if self.shows_values or text in self.normalised:
            return text
        return redact_text(text)

    def evidence(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A detector's evidence (dataclasses.asdict of it) as the mode allows it to be shown.

        Prose that quotes a condition word for word quotes the redacted one afterwards.
        """
        quoted: dict[str, str] = {}
        shown = {name: self._field(name, value, quoted) for name, value in fields.items()}
        if "reasons" in shown:
            shown["reasons"] = [requote(str(reason), quoted) for reason in shown["reasons"]]
        return shown

    def quotes(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """Every text of the evidence that redaction changed, with what it became."""
        quoted: dict[str, str] = {}
        for name, value in fields.items():
            self._field(name, value, quoted)
        return quoted

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
