"""Planted secrets are in no output of any command, not in the history, and in no message of pg95."""

import base64
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from analyzer.cli import cli

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from conftest import LOG_NAMES, LogFormat, Server
from files import PRISMA, application_logs, broken, write
from planting import SECRETS, plant_catalog, plant_traffic, values
from promises import CODE, failed_migrations, known, write_project
from receivers import Hook, Post, serving

PLANTED = {kind: text for kind, text in known().items() if kind != "role"}
ENDINGS = ("html", "json", "md", "csv", "txt")


@pytest.fixture(scope="module")
def planted(postgres15: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the three logs, the counters and the schema of a server full of secrets."""
    folder = tmp_path_factory.mktemp("planted")
    starts = {form: postgres15.log_path(form).stat().st_size for form in LOG_NAMES}
    dsn = postgres15.create_database("leaks")
    plant_catalog(dsn)
    plant_traffic(dsn)
    postgres15.flush_logs()
    for form, start in starts.items():
        path = postgres15.log_path(form)
        (folder / path.name).write_bytes(path.read_bytes()[start:])
    counters = "COPY (SELECT * FROM pg_stat_statements) TO STDOUT WITH CSV HEADER"
    (folder / "counters.csv").write_text(postgres15.psql(counters, dsn) + "\n")
    for name, options in (("schema.sql", ["-s"]), ("dump.sql", ["--inserts"])):
        dump = [postgres15.bin_directory / "pg_dump", *options, dsn]
        (folder / name).write_bytes(subprocess.run(dump, check=True, capture_output=True).stdout)
    (folder / "schema.prisma").write_text(PRISMA.format(**values()))
    write_project(folder / "project", PRISMA.format(**values()))
    (folder / "dsn").write_text(dsn)
    yield folder
    postgres15.psql("DROP DATABASE leaks WITH (FORCE)")


Run = Callable[..., str]


@pytest.fixture
def pg95(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a fresh folder: all it prints, checked together with all that it wrote."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(
        *arguments: object, codes: tuple[int, ...] = (0,), shown: frozenset[str] = frozenset()
    ) -> str:
        words = [str(one) for one in arguments]
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", *words], capture_output=True, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode in codes, said.decode()
        assert_no_secret(said, " ".join(words), shown)
        for path in sorted(tmp_path.rglob("*")):
            if path.is_file():
                where = f"{path.name} of {' '.join(words[:2])}"
                assert_no_secret(path.read_bytes(), where, shown)
        return said.decode()

    return run


def spellings(secret: str) -> Iterator[bytes]:
    """How a text may be written in an output: as it is, in hexadecimal, in base64 at any place."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    yield "".join(f"\\u{ord(one):04x}" for one in secret).encode()
    yield raw.decode().encode("utf-16-le")
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        yield coded[4 if shift else 0 : len(coded) - 4]


def unpacked(data: bytes) -> Iterator[bytes]:
    """The bytes, and what is packed in them by zlib (as the history keeps documents)."""
    yield data
    for head in (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"):
        at = data.find(head)
        while at >= 0:
            with contextlib.suppress(zlib.error):
                yield zlib.decompressobj().decompress(data[at:])
            at = data.find(head, at + 1)


def assert_no_secret(data: bytes, where: str, shown: frozenset[str] = frozenset()) -> None:
    """`shown` are kinds that may be there."""
    for part in unpacked(data):
        for kind, secret in ((one, text) for one, text in PLANTED.items() if one not in shown):
            for spelled in spellings(secret):
                at = part.find(spelled)
                around = part[max(0, at - 200) : at + 100]
                assert at < 0, f"{kind} in {where}: {around!r}"


def test_what_is_planted_is_in_the_inputs(planted: Path) -> None:
    """Else its absence in outputs would say nothing."""
    texts = [path.read_bytes() for path in planted.rglob("*") if path.is_file()]
    texts += [text.encode() for text in (application_logs() | broken()).values()]
    texts.append(failed_migrations().encode())
    missing = [
        kind for kind, secret in PLANTED.items() if not any(secret.encode() in one for one in texts)
    ]
    assert missing == []
    assert len(PLANTED) > 70


@pytest.mark.parametrize("form", sorted(LOG_NAMES))
def test_reports_of_logs_and_their_history(planted: Path, pg95: Run, form: LogFormat) -> None:
    log = planted / LOG_NAMES[form]
    outputs = [part for ending in ENDINGS for part in ("-o", f"r.{ending}")]
    history = ("--history", "history.sqlite", "--save-history")
    pg95(
        "report", log, "--schema", planted / "schema.sql", *outputs, *history, "--target-ms", "0.1"
    )
    document = json.loads(Path("r.json").read_text())
    assert {"n-plus-one", "repeated-query"} <= {one["detector"] for one in document["findings"]}
    assert document["plans"]
    assert any(event["kind"] == "error" for event in document["events"])
    pg95("history", "--history", "history.sqlite")
    pg95("diff", "r.json", "r.json", "--format", "json")
    for markup in ("markdown", "jira", "json"):
        pg95("ticket", "r.json", "--all", "-o", f"tickets-{markup}", "--format", markup)
    pg95("report", log, "--redact", "stable", *outputs)


@pytest.mark.parametrize(
    "command", ["top", "nplusone", "plans", "indexes", "tables", "cache", "jobs"]
)
def test_focused_commands(planted: Path, pg95: Run, command: str) -> None:
    schema = () if command in ("cache", "jobs") else ("--schema", planted / "schema.sql")
    for form in ("table", "json"):
        pg95(command, planted / LOG_NAMES["csvlog"], *schema, "--format", form)
    if command == "indexes":
        shown = pg95(command, planted / LOG_NAMES["csvlog"], *schema, "--format", "sql")
        assert "WHERE status = '…'" in shown  # the way back of an index that is there twice


def test_counters_dumps_and_applications(planted: Path, pg95: Run) -> None:
    outputs = [part for ending in ENDINGS for part in ("-o", f"r.{ending}")]
    pg95("report", planted / "counters.csv", "--schema", planted / "dump.sql", *outputs)
    logs = write(Path("logs"), application_logs())
    texts = {path: path.read_bytes() for path in logs}
    shutil.rmtree("logs")
    for path, text in texts.items():
        elsewhere = planted / path.name
        elsewhere.write_bytes(text)
        pg95("report", elsewhere, *outputs)
        pg95("nplusone", elsewhere)


def test_a_live_server(planted: Path, pg95: Run) -> None:
    dsn = (planted / "dsn").read_text()
    outputs = [part for ending in ENDINGS for part in ("-o", f"r.{ending}")]
    log = planted / LOG_NAMES["csvlog"]
    pg95("report", log, "--dsn", dsn, "--explain", *outputs)
    pg95("tables", "--dsn", dsn, "--format", "json")
    pg95("indexes", log, "--dsn", dsn, "--format", "json")
    pg95("snapshot", "--dsn", dsn, "-o", "one.json")
    pg95("doctor", "--dsn", dsn, "--format", "json")
    pg95("scoreboard", log, "--dsn", dsn, "--prisma", planted / "schema.prisma", codes=(0, 1))


@pytest.fixture
def failed(planted: Path, postgres15: Server) -> Iterator[str]:
    """The server with migrations that failed on its data: its address."""
    dsn = (planted / "dsn").read_text()
    postgres15.psql(failed_migrations(), dsn)
    yield dsn
    postgres15.psql("DROP TABLE _prisma_migrations", dsn)


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_schemas_are_code_and_what_failed_on_data_is_not(
    planted: Path, pg95: Run, failed: str, form: str
) -> None:
    project = planted / "project"
    schema = pg95("schema", project / "prisma", "--dsn", failed, "--format", form, shown=CODE)
    assert SECRETS["default"] in schema  # else what is printed to be put into the schema says less
    for words in (("--dsn", failed), ("--all",)):
        said = pg95("migrations", project, *words, "-o", "safe", "--format", form, shown=CODE)
        assert "ALTER TABLE" in said
        shutil.rmtree("safe")
    told = pg95("migrations", project, "--dsn", failed, "--format", form, shown=CODE)
    for expected in ("customers_email", "P0001", "invalid input syntax"):
        assert expected in told.replace("\\", "")
    form = "openmetrics" if form == "markdown" else form
    pg95("scoreboard", project / "monitor.txt", "--dsn", failed, "--prisma", project / "prisma",
         "--format", form, codes=(0, 1))  # fmt: skip
    pg95(
        "cache",
        planted / LOG_NAMES["csvlog"],
        project / "monitor.txt",
        "--format",
        form.replace("openmetrics", "markdown"),
    )


NIGHT = """
[history]
path = "history.db"
[[servers]]
name = "leaks"
dsn = "{dsn}"
[[logs]]
name = "leaks"
paths = ["{log}"]
settle_minutes = 0
[outputs]
html = "night.html"
json = "night.json"
md = "night.md"
[metrics]
textfile = "pg95.prom"
[scoreboard]
prisma = "{project}/prisma"
server = "leaks"
cache = ["{project}/monitor.txt"]
[[targets]]
application = "*"
ms = 0.01
[alerts]
on = ["target", "new", "regression"]
[alerts.webhook]
url_env = "PG95_TEST_HOOK"
kind = "{kind}"
[alerts.smtp]
host = "127.0.0.1"
port = {port}
starttls = false
from = "pg95@team.example"
to = ["team@team.example"]
"""


@pytest.mark.parametrize("kind", ["json", "slack"])
def test_nights(
    planted: Path, pg95: Run, failed: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Hook()) as hook, serving(Post()) as post:
        monkeypatch.setenv("PG95_TEST_HOOK", hook.url)
        settings = NIGHT.format(
            dsn=failed, log=planted / LOG_NAMES["csvlog"], project=planted / "project",
            kind=kind, port=post.server_address[1],
        )  # fmt: skip
        Path("pg95.toml").write_text(settings)
        pg95("nightly")
    document = json.loads(Path("night.json").read_text())
    assert any(one["dimension"] == "application" for one in document["target"]["by"])
    assert document["scoreboard"]["metrics"]
    assert b"pg95_promise_verdict" in Path("pg95.prom").read_bytes()
    assert_no_secret(json.dumps(hook.got).encode(), f"webhook ({kind})")
    (letter,) = post.letters
    mail = message_from_bytes(letter, policy=default)
    assert mail["Subject"].startswith("pg95")
    assert_no_secret(letter + mail.get_content().encode() + str(mail.items()).encode(), "mail")
    pg95("history", "--history", "history.db", "--format", "json")


def test_following(planted: Path, tmp_path: Path) -> None:
    for form in ("table", "json"):
        words = ["report", "--follow", planted / LOG_NAMES["csvlog"], "--since", "2000-01-01"]
        process = subprocess.Popen(
            [sys.executable, "-m", "analyzer", *words, "--format", form],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
        )  # fmt: skip
        assert process.stderr is not None
        said = b""
        while b"following" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert b"n-plus-one" in out
        assert_no_secret(out + said + err, f"--follow --format {form}")


def test_messages_about_inputs_that_cannot_be_read(planted: Path, pg95: Run) -> None:
    for name, text in broken().items():
        path = planted / name.replace("schema", "broken").replace("counters", "unread")
        path.write_text(text)
        if path.suffix == ".sql":
            pg95("report", planted / LOG_NAMES["csvlog"], "--schema", path, codes=(0, 3))
        else:
            said = pg95("report", path, "--format", "json", codes=(0, 3))
            assert path.name in said
    secret = SECRETS["connection_string"]
    for dsn in (
        f"postgresql://u:{secret}@127.0.0.1:9/x",
        f"host=127.0.0.1 port=9 pasword={secret}",
    ):
        pg95("report", "--dsn", dsn, codes=(2, 3))
        pg95("report", planted / LOG_NAMES["csvlog"], "--dsn", dsn, codes=(0, 2, 3))


def test_off_is_marked_and_shows_values(planted: Path, tmp_path: Path) -> None:
    log = str(planted / LOG_NAMES["csvlog"])
    outputs = [str(tmp_path / f"r.{ending}") for ending in ENDINGS]
    words = [part for path in outputs for part in ("-o", path)]
    done = CliRunner().invoke(cli, ["report", log, "--redact", "off", *words])
    assert done.exit_code == 0, done.output
    page, document, markdown, _, table = (Path(path).read_text() for path in outputs)
    assert json.loads(document)["redaction"] == "off"
    assert SECRETS["plan_condition"] in document
    for text in (page, markdown, table):
        assert "not redacted" in text.lower()
