"""The programs that are measured, and the check that they did what they were measured for."""

import compileall
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from log_formats import STDERR_PREFIX
from measuring import Usage, run

CHECKOUT = Path(__file__).resolve().parents[1]
INSTALL_PGBADGER = "apt-get install pgbadger"
_PGBADGER_FORMATS = {"stderr": "stderr", "csvlog": "csv", "jsonlog": "jsonlog"}
_P95_TOLERANCE = 0.01  # what a histogram may be off by, relative


def pg95(inputs: list[Path], output: Path, *options: str, pure_python: bool = False) -> Usage:
    """One `pg95 report INPUTS -o OUTPUT` (JSON), as a user runs it.

    `pure_python` asks for the reference reader instead of the compiled one. An installed program
    has its byte code beside it, so this one keeps its own, whatever the environment says.
    """
    environment = {"PYTHONDONTWRITEBYTECODE": ""}
    if pure_python:
        environment["PG95_PURE_PYTHON"] = "1"
    return run(
        [sys.executable, "-m", "analyzer", "report", *inputs, "-o", output, *options],
        cwd=CHECKOUT,
        environment=environment,
    )


def compile_modules() -> None:
    """Compile pg95's modules, as installing it does: no run that is measured should have to."""
    compileall.compile_dir(CHECKOUT / "analyzer", quiet=1)


def pgbadger(log: Path, output: Path, log_format: str) -> Usage:
    """One `pgbadger -j 1 -x json` over a log; its pid file goes beside the output.

    Raises:
        RuntimeError: it failed, or found no query: its exit code does not tell that.
    """
    prefix = ["-p", STDERR_PREFIX] if log_format == "stderr" else []
    output.unlink(missing_ok=True)
    usage = run(
        [
            "pgbadger", "-j", "1", "-q", "-x", "json", "-f", _PGBADGER_FORMATS[log_format],
            *prefix, "--pid-dir", output.parent, "-o", output, log,
        ],
        cwd=output.parent,
    )  # fmt: skip
    overall = json.loads(output.read_bytes())["overall_stat"]
    if not overall["queries_number"]:
        raise RuntimeError(f"pgBadger found no query in the {log_format} log")
    return usage


def pgbadger_version() -> str:
    """The version of pgBadger, "" where it is not installed."""
    if shutil.which("pgbadger") is None:
        return ""
    said = subprocess.run(["pgbadger", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.strip().removeprefix("pgBadger version ")


def wrong_figures(output: Path, truth: dict[str, Any]) -> list[str]:
    """Where pg95's document differs from the generator's truth; empty if it is right.

    A fast wrong answer is no result, so this is looked at after each run over a whole log.
    """
    document = json.loads(output.read_bytes())
    sources = document["coverage"]["sources"]
    seen = {
        name: sum(source[name] for source in sources)
        for name in ("entries", "executions", "parse", "bind", "plans", "errors")
    }
    names = {"executions": "calls", "parse": "parses", "bind": "binds"}
    wrong = [
        f"{name}: {count} instead of {truth[names.get(name, name)]}"
        for name, count in seen.items()
        if count != truth[names.get(name, name)]
    ]
    unparsed = sum(source["bytes_unparsed"] for source in sources)
    if unparsed:
        wrong.append(f"{unparsed} bytes unparsed")
    # Every row of the truth is a statement of its own (a shape and an arity).
    total_ms = sum(statement["total_ms"] for statement in document["statements"])
    if abs(total_ms - truth["total_ms"]) > 0.001 * max(1.0, truth["total_ms"] / 1000):
        wrong.append(f"total: {total_ms:.3f} ms instead of {truth['total_ms']:.3f} ms")
    p95_ms = document["target"]["value_ms"]
    if p95_ms is None or abs(p95_ms / truth["p95_ms"] - 1) > _P95_TOLERANCE:
        wrong.append(f"P95: {p95_ms} ms instead of {truth['p95_ms']} ms")
    return wrong


def scanner_of(output: Path) -> str:
    """Which reader ran, as the document's coverage tells; "not told" where it does not."""
    coverage = json.loads(output.read_bytes())["coverage"]
    return str(coverage.get("scanner", "not told"))
