"""What squawk, a linter of migrations, says of one: run as a program, its JSON read."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from analyzer.errors import InputError
from analyzer.model.migration import LintFinding

# Rules of style that Prisma's own migrations always break, and that no one would act on; and two that
# analyzer/prisma/safety.py judges with more knowledge.
_EXCLUDED = (
    "changing-column-type",
    "renaming-column",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "require-enum-value-ordering",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-table-schema",
)
_SECONDS = 60
_ANSWERED = (0, 1)  # nothing found, something found; anything else is a failure
_DEFAULT_VERSION = 16


def lint(name: str, sql: str, server_version: int | None) -> list[LintFinding]:
    """What squawk finds in a migration, style left out.

    Args:
        name: what to call it in messages.
        sql: the migration's text; it is given on stdin, nothing of it on a command line.
        server_version: server_version_num, None where it is not known.

    Raises:
        InputError: squawk is not installed, fails, or answers in another form.
    """
    program = _program()
    major = server_version // 10_000 if server_version else _DEFAULT_VERSION
    command = [
        program, "--reporter", "json", "--assume-in-transaction", "--no-error-on-unmatched-pattern",
        "--pg-version", f"{major}.0", "--exclude", ",".join(_EXCLUDED), "--stdin-filepath", "migration.sql",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - our own dependency, with arguments of ours
            command, input=sql.encode(), capture_output=True, timeout=_SECONDS, check=False
        )
        if done.returncode not in _ANSWERED:
            said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            raise InputError(f"{name}: squawk could not check it ({said or done.returncode})")
        found = json.loads(done.stdout)
        return [
            LintFinding(
                one["rule_name"],
                one["line"] + 1,
                one["message"].strip(),
                (one["help"] or "").strip(),
            )
            for one in found
            if one["rule_name"] not in _EXCLUDED
        ]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{name}: squawk could not check it: {error}") from error


def _program() -> str:
    beside = Path(sys.executable).with_name("squawk")
    program = str(beside) if beside.is_file() else shutil.which("squawk")
    if program is None:
        raise InputError("squawk is not installed. pip install squawk-cli")
    return program
