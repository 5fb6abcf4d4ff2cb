"""Ready files beside SafeSteps: a migration without one of its statements, and safe forms of what squawk finds."""

import re
from collections.abc import Callable, Mapping, Sequence

from analyzer.model.migration import ReadyFile
from analyzer.patterns import regex
from analyzer.prisma.safe_steps import SafeSteps, ready_file
from analyzer.sql.definitions import CreateIndex, DropIndex, Step
from analyzer.sql.quoting import quote_identifier, quote_literal

_NAME = r'(?:"(?:[^"]|"")++"|[\w$]++)'
# One constraint that is checked against the rows which are there.
_CONSTRAINT = regex(
    rf"ALTER\s+TABLE\s+(?:ONLY\s+)?(?P<table>{_NAME}(?:\.{_NAME})?)\s+ADD\s+CONSTRAINT\s+(?P<name>{_NAME})\s+"
    r"(?:FOREIGN\s+KEY|CHECK)\b",
    re.IGNORECASE,
)
_NOT_VALID = regex(r"\bNOT\s+VALID\b", re.IGNORECASE)
_INDEX = regex(r"\bINDEX\b", re.IGNORECASE)


def without(migration: str, steps: Sequence[Step], left_out: Step, note: str) -> ReadyFile:
    """The migration's own file without a statement; `note` says why, as a comment before the rest."""
    rest = [f"{step.text.rstrip(';')};" for step in steps if step is not left_out]
    said = "".join(f"-- {line}\n" for line in note.splitlines())
    text = "\n\n".join(rest) or "-- This is an empty migration."
    return ReadyFile(f"{migration}/migration.sql", f"{said}{text}\n")


def unique_index(migration: str, step: Step, table: str, column: str) -> tuple[ReadyFile, ...]:
    """A look for duplicates that fails before anything is done, then the index built without blocking."""
    key = quote_identifier(column)
    again = f"SELECT {key}, count(*) FROM {table} GROUP BY {key} HAVING count(*) > 1"  # noqa: S608 - for people
    message = quote_literal(f"{column} has duplicates: settle them first")
    guard = (
        f"-- Which of equal rows stay is yours to say. They are: {again};\n"
        f"DO $$ BEGIN IF EXISTS (SELECT FROM {table} WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1) "
        f"THEN RAISE EXCEPTION USING MESSAGE = {message}; END IF; END $$;"
    )
    index = next((one.index for one in step.definitions if isinstance(one, CreateIndex)), None)
    built = step.text.rstrip(";")
    if not step.concurrently:
        built = _INDEX.sub("INDEX CONCURRENTLY", built, count=1)
    failed = ""
    if index is not None and index.name:
        failed = (
            f"-- If it fails: DROP INDEX CONCURRENTLY IF EXISTS {quote_identifier(index.name)};\n"
        )
    return (
        ready_file(migration, 1, f"no_duplicates_of_{column}", guard),
        ready_file(migration, 2, f"unique_{column}", f"{failed}{built};"),
    )


def safe_form(rule: str, migration: str, step: Step | None) -> tuple[ReadyFile, ...]:
    """Files that do what a statement does which squawk's rule is about, without its lock; none where there are none."""
    made = _FORMS.get(rule)
    return made(migration, step) if made is not None and step is not None else ()


def _not_valid(migration: str, step: Step) -> tuple[ReadyFile, ...]:
    """The constraint for new rows at once; those that are there are checked without blocking writers."""
    text = step.text.rstrip("; \n")
    found = _CONSTRAINT.match(text)
    if found is None or _NOT_VALID.search(text) or _several(text):
        return ()
    name = found["name"].strip('"')
    validate = f"ALTER TABLE {found['table']} VALIDATE CONSTRAINT {found['name']};"
    return (
        ready_file(migration, 1, f"add_{name}", f"{text} NOT VALID;"),
        ready_file(migration, 2, f"validate_{name}", validate),
    )


def _several(text: str) -> bool:
    """Whether an ALTER TABLE has several actions: a comma outside of brackets."""
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            return True
    return False


def _created(migration: str, step: Step) -> tuple[ReadyFile, ...]:
    index = next((one.index for one in step.definitions if isinstance(one, CreateIndex)), None)
    if index is None or step.concurrently:
        return ()
    return SafeSteps.concurrent_index(migration, step.text, index.name)


def _dropped(migration: str, step: Step) -> tuple[ReadyFile, ...]:
    names = [one for one in step.definitions if isinstance(one, DropIndex)]
    if len(names) != 1 or step.concurrently:  # PostgreSQL drops one at a time concurrently
        return ()
    text = _INDEX.sub("INDEX CONCURRENTLY", step.text.rstrip(";"), count=1)
    return (ready_file(migration, 1, "drop_index_concurrently", f"{text};"),)


_FORMS: Mapping[str, Callable[[str, Step], tuple[ReadyFile, ...]]] = {
    "adding-foreign-key-constraint": _not_valid,
    "constraint-missing-not-valid": _not_valid,
    "require-concurrent-index-creation": _created,
    "require-concurrent-index-deletion": _dropped,
}
