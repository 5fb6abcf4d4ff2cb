"""What pg95.toml says of the nightly job: servers, logs, outputs, alerts, metrics.

A secret never stands in it: a password comes from libpq's own places (a service, ~/.pgpass, the
environment), a webhook's address and SMTP's password from an environment variable or a file that
the configuration names.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from analyzer.configuration import Configuration, Table
from analyzer.errors import UsageError
from analyzer.nightly.named_secrets import Secret, read_secret
from analyzer.nightly.redis_settings import RedisPlace, read_redis
from analyzer.nightly.scoreboard_settings import ScoreboardSettings, read_scoreboard
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.increments.contents import LogFiles
from analyzer.sources.options import ReadOptions

CONDITIONS = ("target", "new", "regression")
_LATEST = ("copy", "symlink", "none")
_KINDS = ("slack", "json")
_PASSWORD = regex(r"password\s*=|^[a-z]+://[^@/\s]*:[^@/\s]+@", re.IGNORECASE)
_MINUTE = 60.0
_SMTP_PORT = 587


@record
class Server:
    """A server whose counters are looked at; `dsn` has no password, None is libpq's environment."""

    name: str
    dsn: str | None


@record
class Outputs:
    """Where reports go: strftime patterns (UTC) by format, and how the latest one is named."""

    patterns: dict[str, str]
    latest: Literal["copy", "symlink", "none"] = "copy"


@record
class Webhook:
    """Where alerts are posted, and in which form."""

    url: Secret
    kind: Literal["slack", "json"]


@record
class Mail:
    """How alerts are mailed. Port 465 speaks TLS from the start."""

    host: str
    port: int
    starttls: bool
    user: str | None
    password: Secret | None
    sender: str
    recipients: Sequence[str]


@record
class Alerts:
    """What is told, and whom."""

    on: Sequence[str] = ()
    webhook: Webhook | None = None
    mail: Mail | None = None


@record
class Settings:
    """The nightly job's part of a configuration. `history` None is the user's own store.

    `logging_server` is the one server that writes all logs: its counters complete them.
    """

    history: str | None
    servers: Sequence[Server]
    logs: Sequence[LogFiles]
    outputs: Outputs
    alerts: Alerts
    textfile: Path | None
    logging_server: str | None = None
    scoreboard: ScoreboardSettings | None = None
    redis: Sequence[RedisPlace] = ()


def read_settings(configuration: Configuration) -> Settings:
    """The settings of a configuration; paths are relative to its file.

    Raises:
        UsageError: something is missing, not known, or a secret that does not belong there.
    """
    table = configuration.table
    folder = Path() if configuration.path is None else configuration.path.parent
    servers = tuple(_server(one) for one in table.tables("servers"))
    read = [_log(one, folder, servers) for one in table.tables("logs")]
    logs = tuple(log for log, _ in read)
    if not servers and not logs:
        raise UsageError(
            f"{table.where}: nothing to look at: name logs ([[logs]] with paths) or servers "
            "([[servers]] with dsn); docs/nightly.md has an example"
        )
    redis = tuple(read_redis(one, folder) for one in table.tables("redis"))
    for what, names in (
        ("servers", [s.name for s in servers]),
        ("redis", [one.name for one in redis]),
        ("logs", [one.name for one in logs]),
    ):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"{table.where}: [[{what}]] has two of the name {twice}")
    return Settings(
        history=_history(table, folder),
        servers=servers,
        logs=logs,
        outputs=_outputs(table, folder),
        alerts=_alerts(table, folder),
        textfile=_textfile(table, folder),
        logging_server=_logging_server([server for _, server in read], servers),
        scoreboard=read_scoreboard(table, folder, [one.name for one in servers]),
        redis=redis,
    )


def _logging_server(named: Sequence[str | None], servers: Sequence[Server]) -> str | None:
    """The server that all logs are of, None if there is no one such."""
    only = servers[0].name if len(servers) == 1 else None
    found = {name or only for name in named}
    return found.pop() if len(found) == 1 else None


def _history(table: Table, folder: Path) -> str | None:
    found = table.table("history")
    if found is None:
        return None
    path = found.text("path")
    found.end()
    if _PASSWORD.search(path):
        found.refuse("path", "has a password in it; " + _NO_PASSWORD)
    return path if "://" in path else str(folder / Path(path).expanduser())


_NO_PASSWORD = "put it into ~/.pgpass or a service file, or give PGPASSWORD in the environment"  # noqa: S105 - an advice


def _server(table: Table) -> Server:
    name, dsn, variable = table.text("name"), table.text("dsn", None), table.text("dsn_env", None)
    table.end()
    if dsn is not None and variable is not None:
        table.refuse("dsn", "and dsn_env are two answers to one question; give one")
    if dsn is not None and _PASSWORD.search(dsn):
        table.refuse("dsn", "has a password in it; " + _NO_PASSWORD)
    if variable is not None:
        dsn = os.environ.get(variable)
        if not dsn:
            table.refuse("dsn_env", f"names ${variable}, which is not set")
    return Server(name, dsn)


def _log(table: Table, folder: Path, servers: Sequence[Server]) -> tuple[LogFiles, str | None]:
    """A `[[logs]]` section, and the server that it names."""
    name, paths = table.text("name"), table.texts("paths")
    if not paths:
        table.refuse("paths", "has to name files, folders or globs")
    minutes = table.number("settle_minutes", 10.0)
    options = ReadOptions(
        log_format=table.text("format", "auto"),
        log_line_prefix=table.text("prefix", None),
        timezone=table.text("tz", None),
    )
    server = table.text("server", None)
    table.end()
    if server is not None and server not in [one.name for one in servers]:
        table.refuse("server", f"names {server}, and no [[servers]] has that name")
    if minutes < 0:
        table.refuse("settle_minutes", "has to be 0 or more")
    # A glob in the folder's own name would not be one that the user wrote.
    resolved = [one if "://" in one else str(folder / Path(one).expanduser()) for one in paths]
    return LogFiles(name, resolved, options, minutes * _MINUTE), server


def _outputs(table: Table, folder: Path) -> Outputs:
    found = table.table("outputs")
    if found is None:
        return Outputs({})
    given = {form: found.text(form, None) for form in ("html", "json", "md", "csv")}
    latest = found.text("latest", "copy")
    found.end()
    if latest not in _LATEST:
        found.refuse("latest", f"has to be one of {', '.join(_LATEST)}, not {latest!r}")
    patterns = {form: str(folder / Path(text).expanduser()) for form, text in given.items() if text}
    return Outputs(patterns, cast('Literal["copy", "symlink", "none"]', latest))


def _alerts(table: Table, folder: Path) -> Alerts:
    found = table.table("alerts")
    if found is None:
        return Alerts()
    on = found.texts("on", CONDITIONS)
    unknown = [one for one in on if one not in CONDITIONS]
    if unknown:
        found.refuse("on", f"has {unknown[0]!r}; known are {', '.join(CONDITIONS)}")
    webhook, mail = found.table("webhook"), found.table("smtp")
    found.end()
    made = Alerts(
        on,
        None if webhook is None else _webhook(webhook, folder),
        None if mail is None else _mail(mail, folder),
    )
    if made.webhook is None and made.mail is None:
        raise UsageError(f"{found.where}: say whom to alert: [alerts.webhook] or [alerts.smtp]")
    return made


def _webhook(table: Table, folder: Path) -> Webhook:
    if "url" in table:
        table.refuse("url", "is a secret: give url_env (a variable's name) or url_file (a path)")
    url = read_secret(table, "url", folder, "the webhook's address")
    kind = table.text("kind", "json")
    table.end()
    if url is None:
        raise UsageError(f"{table.where}: url_env or url_file is missing")
    if kind not in _KINDS:
        table.refuse("kind", f"has to be one of {', '.join(_KINDS)}, not {kind!r}")
    return Webhook(url, cast('Literal["slack", "json"]', kind))


def _mail(table: Table, folder: Path) -> Mail:
    if "password" in table:
        table.refuse("password", "is a secret: give password_env or password_file")
    mail = Mail(
        host=table.text("host"),
        port=table.integer("port", _SMTP_PORT),
        starttls=table.flag("starttls", default=True),
        user=table.text("user", None),
        password=read_secret(table, "password", folder, "the SMTP server's password"),
        sender=table.text("from"),
        recipients=table.texts("to"),
    )
    table.end()
    if not mail.recipients:
        table.refuse("to", "has to name at least one address")
    if (mail.user is None) != (mail.password is None):
        table.refuse("user", "and its password (password_env, password_file) go together")
    return mail


def _textfile(table: Table, folder: Path) -> Path | None:
    found = table.table("metrics")
    if found is None:
        return None
    path = found.text("textfile")
    found.end()
    if not path.endswith(".prom"):
        found.refuse("textfile", "has to end in .prom: node_exporter reads no other")
    return folder / Path(path).expanduser()
