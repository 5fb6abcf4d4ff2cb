"""Run real applications against a real PostgreSQL and score what pg95 finds in the server's logs.

    benchmarks/applications/bench.py [--applications pretix indico] [--runs think tagged] [--no-score]

Each application is installed from the package registry into a virtualenv of its own, seeded through
its own models, and sent its requests once for each run. A run leaves a folder with the server's log
(postgresql.csv, postgresql.log), the truth (truth.jsonl), its labels (labels.json), schema.sql and
the responses. README.md beside this file says more.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import debian
import npm
import score
from labels import write_labels
from servers import LOG_NAMES, Server, bouncer, postgres, redis

HERE = Path(__file__).resolve().parent
DRIVER = HERE / "driver"
DEFAULT_CACHE = Path(tempfile.gettempdir()) / "pg95-applications"
THINK_SECONDS = ("0.3", "0.9")


@dataclass(frozen=True, slots=True)
class Application:
    """What is installed; the folder `<name>_bed` has its settings, seed and requests."""

    name: str
    packages: tuple[str, ...]
    # The command that makes a site from the application's template, if it needs one: a program of
    # the virtualenv and its arguments, before the folder.
    template: tuple[str, ...] = ()
    framework: str = "django"  # which host of the driver opens it
    extensions: tuple[str, ...] = ()  # of PostgreSQL, that a superuser has to make
    redis: bool = False
    without: tuple[str, ...] = ()  # runs that make no sense for it
    debian: str = ""  # Debian's package that it is, for one that is not Python's

    @property
    def bed(self) -> str:
        """The package that the driver imports."""
        return f"{self.name}_bed"

    @property
    def driver(self) -> Path:
        """The program that drives it, in its own language."""
        return DRIVER / {"rails": "drive.rb", "node": "drive.cjs"}.get(self.framework, "drive.py")


@dataclass(frozen=True, slots=True)
class Run:
    """How the requests are sent."""

    name: str
    workers: int = 1
    pool_size: int = 0
    options: tuple[str, ...] = ()
    server_side_binding: bool = False
    untagged: bool = False  # without the comments that the application itself adds to its SQL


APPLICATIONS = {
    one.name: one
    for one in (
        Application("pretix", ("pretix==2026.8.0", "Django==5.2.19", "psycopg[binary]==3.3.9")),
        Application(
            "codered",
            ("coderedcms==6.0.0", "wagtail==7.4.4", "Django==5.2.19", "psycopg[binary]==3.3.9"),
            ("coderedcms", "start", "--template", "basic", "bedsite"),
        ),
        Application(
            "indico",
            ("indico==3.2.9",),
            framework="flask",
            extensions=("unaccent", "pg_trgm"),
            redis=True,
            # psycopg2 binds no parameters, and Indico adds no comments of its own.
            without=("extended", "untagged"),
        ),
        Application(
            "redmine",
            (),
            framework="rails",
            debian="redmine",
            # Active Record always binds parameters (but not behind a pooler), and Redmine adds no comments.
            without=("extended", "untagged"),
        ),
        Application(
            "vendure",
            ("@vendure/core@3.7.3", "pg@8.23.1"),
            framework="node",
            # TypeORM always binds parameters, and Vendure adds no comments.
            without=("extended", "untagged"),
        ),
    )
}
RUNS = {
    one.name: one
    for one in (
        Run("back-to-back"),
        Run("think", options=("--think", *THINK_SECONDS)),
        Run("tagged", options=("--tagged",)),
        Run("extended", server_side_binding=True),
        Run("workers", workers=4),
        Run("pooled", workers=4, pool_size=2),
        Run("untagged", untagged=True),
    )
}


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="virtualenvs and servers")
    parser.add_argument("--out", type=Path, help="folder for the runs (default: CACHE/runs)")
    parser.add_argument(
        "--applications", nargs="+", choices=APPLICATIONS, default=list(APPLICATIONS)
    )
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--no-score", action="store_true", help="make the runs only")
    options = parser.parse_args()
    out = options.out or options.cache / "runs"
    folders = []
    # The server's files lie where its user may go, whoever owns the cache.
    with tempfile.TemporaryDirectory(prefix="pg95-bed-") as scratch, ExitStack() as stack:
        Path(scratch).chmod(0o755)
        server = stack.enter_context(postgres(Path(scratch) / "server"))
        for name in options.applications:
            application = APPLICATIONS[name]
            python = install(application, options.cache)
            plan = seed(application, python, server, options.cache)
            for run in (RUNS[one] for one in options.runs if one not in application.without):
                folder = out / name / run.name
                record(application, run, python, server, plan, folder)
                folders.append(folder)
    if not options.no_score:
        score.show([one for folder in folders for one in score.score(folder)])


def install(application: Application, cache: Path) -> Path:
    """What runs the application: the Python of its virtualenv, made if it is not there, Ruby or Node.js."""
    if application.debian:
        return debian.install(
            application.debian, HERE / application.bed, cache / application.name / "site"
        )
    home = cache / application.name
    if application.framework == "node":
        return npm.install(application.packages, home / "site")
    python = home / "bin" / "python"
    mark = home / "installed"
    wanted = "\n".join(application.packages)
    if not mark.exists() or mark.read_text(encoding="utf-8") != wanted:
        _tell(f"{application.name}: installing {', '.join(application.packages)}")
        venv.create(home, with_pip=True, clear=home.exists())
        subprocess.run([python, "-m", "pip", "install", "-q", *application.packages], check=True)
        if application.template:
            site = home / "site"
            site.mkdir()
            program, *rest = application.template
            subprocess.run([home / "bin" / program, *rest, site], check=True, stdout=sys.stderr)
        mark.write_text(wanted, encoding="utf-8")
    return python


def seed(application: Application, python: Path, server: Server, cache: Path) -> Path:
    """Fill the application's template database; the file with its requests.

    What was seeded is kept in the cache as a dump, until the application or its seed changes.
    """
    made = hashlib.sha256("\n".join(application.packages).encode())
    for path in sorted((HERE / application.bed).glob("*.[cpr]*")):
        made.update(path.read_bytes())
    dump = cache / f"{application.name}-{made.hexdigest()[:12]}.dump"
    plan = dump.with_suffix(".json")
    server.psql(f'CREATE DATABASE "{application.name}"')
    if dump.exists():
        server.restore(application.name, dump)
        return plan
    _tell(f"{application.name}: seeding")
    for extension in application.extensions:
        server.psql(f"CREATE EXTENSION {extension}", application.name)
    command = [python, application.driver, application.framework, application.bed, "seed", plan]
    with _redis(application, server) as redis_port:
        environment = _environment(application, server.port, application.name, cache, redis_port)
        subprocess.run(command, env=environment, check=True, stdout=sys.stderr)
    server.dump(application.name, dump)
    return plan


@contextmanager
def _redis(application: Application, server: Server) -> Iterator[int]:
    """The port of a Redis for an application that needs one, else 0."""
    if application.redis:
        with redis(server.directory.parent / "redis") as port:
            yield port
    else:
        yield 0


def record(
    application: Application, run: Run, python: Path, server: Server, plan: Path, folder: Path
) -> None:
    """Send the requests in a copy of the seeded database, and keep what the server and we saw."""
    _tell(f"{application.name}: {run.name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    database = f"{application.name}_run"
    server.copy_database(application.name, database)
    server.log_everything(database)
    with ExitStack() as stack:
        port = server.port
        if run.pool_size:
            directory = server.directory.parent / "bouncer"
            port = stack.enter_context(bouncer(directory, server, run.pool_size))
        redis_port = stack.enter_context(_redis(application, server))
        environment = _environment(application, port, database, plan.parent, redis_port, run)
        command = [python, application.driver, application.framework, application.bed, "run", plan]
        command += ["--workers", str(run.workers), *run.options]
        before = _drive(command, run, environment, folder, server)
        after = server.log_sizes()
    for name in LOG_NAMES:
        with (server.directory / "log" / name).open("rb") as log:
            log.seek(before[name])
            (folder / name).write_bytes(log.read(after[name] - before[name]))
    (folder / "schema.sql").write_text(server.schema(database), encoding="utf-8")
    _merge(folder, "truth", "at")
    _merge(folder, "responses", "request")
    write_labels(folder)


def _drive(
    command: Sequence[str | Path],
    run: Run,
    environment: dict[str, str],
    folder: Path,
    server: Server,
) -> dict[str, int]:
    """Run all workers from when the last one is ready; the log's sizes at that moment."""
    with ExitStack() as stack:
        workers = []
        for number in range(run.workers):
            truth = folder / f"truth.{number}"
            said = stack.enter_context((folder / f"errors.{number}").open("wb"))
            workers.append(
                subprocess.Popen(
                    [*command, "--worker", str(number), "--truth", truth],
                    env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
                )
            )  # fmt: skip
        outputs = [
            stack.enter_context((folder / f"responses.{n}").open("w")) for n in range(run.workers)
        ]
        for worker in workers:
            _wait_for("ready", worker)
        before = server.log_sizes()
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.close()
        # Workers print a line for each request: little enough to wait in the pipe.
        for worker, output in zip(workers, outputs, strict=True):
            output.write(worker.stdout.read())
            if worker.wait() != 0:
                raise RuntimeError(f"a worker failed; see {folder}")
    for path in folder.glob("errors.*"):
        path.unlink()
    return before


def _wait_for(word: str, worker: "subprocess.Popen[str]") -> None:
    for line in worker.stdout:
        if line.strip() == word:
            return
    raise RuntimeError(f"a worker ended before it was {word}")


def _merge(folder: Path, name: str, key: str) -> None:
    """The workers' JSON lines as one file, in the order of a field."""
    lines = []
    for path in sorted(folder.glob(f"{name}.*")):
        with path.open(encoding="utf-8") as part:
            lines += [(json.loads(line)[key], line) for line in part if line.startswith("{")]
        path.unlink()
    lines.sort(key=lambda pair: pair[0])
    with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as merged:
        merged.writelines(line for _, line in lines)


def _environment(
    application: Application,
    port: int,
    database: str,
    cache: Path,
    redis_port: int,
    run: Run | None = None,
) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(cache),
        "BED_SITE": str(cache / application.name / "site"),
        "BED_PORT": str(port),
        "BED_DATABASE": database,
        "BED_REDIS_PORT": str(redis_port),
        "BED_POOLED": "1" if run and run.pool_size else "",
        "BED_SERVER_SIDE_BINDING": "1" if run and run.server_side_binding else "",
        "BED_UNTAGGED": "1" if run and run.untagged else "",
        "PYTHONHASHSEED": "0",
    }


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
