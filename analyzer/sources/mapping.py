"""`--map`: which fields of a JSON-lines log hold the statement, its time, its duration and the rest."""

from collections.abc import Mapping

from analyzer.errors import UsageError
from analyzer.patterns import regex
from analyzer.records import record

TARGETS = (
    *("ts", "start", "sql", "duration", "parameters", "rows"),
    *("request", "route", "job", "session", "user", "database", "application"),
)
# How many of a unit make a millisecond.
UNITS = {"ns": 1e6, "us": 1e3, "ms": 1.0, "s": 1e-3}
_TIMED = ("ts", "start", "duration")
_WORD = r"ns|us|µs|ms|s|nanos|micros|millis|nanoseconds|microseconds|milliseconds|seconds?|secs?"
# took_us, tookUs, us
_ENDING = regex(rf"(?:^|_)((?i:{_WORD}))$|(?<=[a-z])(?=[A-Z])((?i:{_WORD}))$")
_WORDS = {"µs": "us", "sec": "s", "secs": "s", "second": "s", "seconds": "s"} | {
    f"{word}{end}": unit
    for word, unit in (("nano", "ns"), ("micro", "us"), ("milli", "ms"))
    for end in ("s", "seconds")
}
EXAMPLE = "--map ts=time,sql=query.text,duration=elapsed_us,request=req_id"


@record
class Field:
    """Where one thing stands: `path`, keys joined by dots. `unit` is of times and durations."""

    path: str
    unit: str | None = None

    def of(self, record: object) -> object:
        """What stands there, None where there is nothing.

        A key may itself contain dots: `attributes.db.statement` also finds the key `db.statement`
        in `attributes`. A number is a place in a list.
        """
        return _found(record, self.path)


@record
class FieldMap:
    """The fields of `--map` by what they are (TARGETS); `sql` is always there."""

    fields: Mapping[str, Field]

    def of(self, target: str, record: object) -> object:
        """What a record has for a target, None where it has nothing or none was named."""
        field = self.fields.get(target)
        return None if field is None else field.of(record)


def parse_map(text: str) -> FieldMap:
    """The mapping that `--map` gives: `target=path` or `target:unit=path`, joined by commas.

    The unit of a duration, or of a time that is a number, is ns, us, ms or s. If it is not given, the
    ending of the path tells it (`elapsed_us`, `durationMs`); else a duration is in milliseconds, and
    a time is told by its size.

    Raises:
        UsageError: a part can't be read, a target or unit is unknown or named twice, or there is no `sql`.
    """
    fields: dict[str, Field] = {}
    for part in text.split(","):
        name, equals, path = (piece.strip() for piece in part.partition("="))
        target, colon, unit = name.partition(":")
        if not equals or not path:
            raise UsageError(f"--map: {part.strip()!r} is not target=path; for example {EXAMPLE}")
        if target not in TARGETS:
            raise UsageError(f"--map: {target!r} is none of {', '.join(TARGETS)}")
        if target in fields:
            raise UsageError(f"--map: {target} is given twice")
        if colon and (unit not in UNITS or target not in _TIMED):
            raise UsageError(
                f"--map: {name!r} has no unit that can be used: ns, us, ms or s, "
                f"behind {', '.join(_TIMED)}"
            )
        fields[target] = Field(path, unit or _unit(target, path))
    if "sql" not in fields:
        raise UsageError(f"--map: sql=PATH is missing; for example {EXAMPLE}")
    if {"ts", "start"} <= fields.keys():
        raise UsageError("--map: give ts (when the call ended) or start (when it began), not both")
    return FieldMap(fields)


def _unit(target: str, path: str) -> str | None:
    """What the ending of a path says."""
    if target not in _TIMED:
        return None
    found = _ENDING.search(path.rpartition(".")[2])
    if found is None:
        return None
    word = (found[1] or found[2]).lower()
    return _WORDS.get(word, word)


def _found(record: object, path: str) -> object:
    if isinstance(record, dict):
        if path in record:
            return record[path]
        end = path.rfind(".")
        while end > 0:
            head = path[:end]
            if head in record:
                found = _found(record[head], path[end + 1 :])
                if found is not None:
                    return found
            end = path.rfind(".", 0, end)
    elif isinstance(record, list):
        head, _, rest = path.partition(".")
        if head.isdecimal() and len(head) < 6 and int(head) < len(record):  # noqa: PLR2004  # a place in a list
            one = record[int(head)]
            return _found(one, rest) if rest else one
    return None
