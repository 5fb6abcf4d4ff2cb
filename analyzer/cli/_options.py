"""The options that all commands share, and what they mean to the pipeline."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import click

from analyzer.cli._say import say
from analyzer.cli._server import dsn_option
from analyzer.errors import UsageError
from analyzer.model.explain import MAX_SECONDS, TOP, VERIFY_SECONDS, ExplainRequest
from analyzer.model.target import METHODS
from analyzer.patterns import regex

if TYPE_CHECKING:
    from analyzer.configuration import Configuration
    from analyzer.pipeline import Options

Command = TypeVar("Command", bound=Callable[..., Any])
LOG_FORMATS = (
    *("auto", "stderr", "csvlog", "jsonlog"),
    *(
        "syslog",
        "journald",
        "logplex",
        "cloudsql",
        "cloudwatch",
        "azure",
        "cnpg",
        "supabase",
        "otlp",
    ),
    *("cri", "docker"),
    *("prisma-events", "prisma-stdout", "django", "rails", "sqlalchemy", "sequelize", "typeorm"),
    *("otel-spans", "json-lines"),
)
_RELATIVE = regex(r"(\d+)\s*(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_RATE = click.FloatRange(0, 1)

workers_option: Callable[[Any], Any] = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes: one analyses, a second reads logs, a third searches for loops, all others read. The report is the same.",
)
_INPUT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("inputs", nargs=-1, metavar="INPUT..."),
    dsn_option("Read pg_stat_statements and the catalog of a live server"),
    click.option(
        "--live", is_flag=True, help="As --dsn, the server named by libpq's PG* variables."
    ),
    click.option(
        "--schema",
        metavar="FILE",
        help="Tables and keys: SQL (pg_dump --schema-only) or schema.prisma.",
    ),
    click.option("--log-format", type=click.Choice(LOG_FORMATS), default="auto", show_default=True),
    click.option(
        "--log-line-prefix",
        metavar="PREFIX",
        help="The server's log_line_prefix; detected if not given.",
    ),
    click.option(
        "--map",
        "field_map",
        metavar="FIELDS",
        help="Where JSON lines hold the SQL and the rest: ts=time,sql=query.text,duration:us=elapsed,request=req_id (docs/formats.md).",
    ),
    click.option(
        "--log-min-duration-ms",
        type=click.FloatRange(min=0),
        help="What the server leaves out of its log (log_min_duration_statement); 0: nothing. Read from --dsn or inferred if not given.",
    ),
    click.option(
        "--log-sample-rate",
        metavar="RATE",
        type=_RATE,
        help="The share of statements that the server logs (log_statement_sample_rate, 0 to 1) of those faster than --log-min-duration-ms, or of all. Read from the log or --dsn if not given.",
    ),
    click.option(
        "--log-min-duration-sample-ms",
        metavar="N",
        type=click.FloatRange(min=0),
        help="From which duration on --log-sample-rate holds (log_min_duration_sample); faster ones are not logged.",
    ),
    click.option(
        "--log-transaction-sample-rate",
        metavar="RATE",
        type=_RATE,
        help="The share of transactions that the server logs whole (log_transaction_sample_rate, 0 to 1). Read from the log or --dsn if not given.",
    ),
    click.option(
        "--since", metavar="TIME", help="Only entries from this time on (ISO 8601, or 2h, 3d ago)."
    ),
    click.option(
        "--until", metavar="TIME", help="Only entries before this time (ISO 8601, or 2h, 3d ago)."
    ),
    click.option(
        "--tz", metavar="ZONE", help="Zone of times that name none (Europe/Berlin, +02:00)."
    ),
    workers_option,
)
_EXPLAIN_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--explain",
        is_flag=True,
        help="Ask the server of --dsn (or --explain-dsn) for the plans of the statements that take most time. Runs none of them.",
    ),
    click.option(
        "--explain-analyze",
        is_flag=True,
        help="As --explain, and run those that provably only read, in read-only transactions with timeouts.",
    ),
    click.option(
        "--explain-dsn",
        metavar="DSN",
        help="Ask this server instead, a replica that has the same tables: the one of --dsn is spared.",
    ),
    click.option(
        "--explain-top",
        metavar="N",
        type=click.IntRange(min=1),
        help=f"How many statements are explained. [default: {TOP}]",
    ),
    click.option(
        "--max-seconds",
        type=click.FloatRange(min=0, min_open=True),
        help=f"When explaining stops, whatever is left. [default: {MAX_SECONDS:g}]",
    ),
)
_JUDGE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--config",
        metavar="FILE",
        help="The configuration. [default: ./pg95.toml, or [tool.pg95] of ./pyproject.toml]",
    ),
    click.option(
        "--target-ms",
        type=click.FloatRange(min=0, min_open=True),
        help="What the quantile should be under. [default: that of the configuration, or 100]",
    ),
    click.option(
        "--quantile",
        type=click.FloatRange(0, 1, min_open=True),
        help="Which quantile. [default: that of the configuration, or 0.95]",
    ),
    click.option(
        "--method",
        type=click.Choice(METHODS),
        default=METHODS[0],
        show_default=True,
        help="How the quantile is known (docs/p95.md); refused where the input cannot give it.",
    ),
    click.option(
        "--redact",
        type=click.Choice(("strict", "stable", "off")),
        default="strict",
        show_default=True,
        help="What becomes of values in statements, parameters and plans.",
    ),
    click.option(
        "--rtt-ms",
        type=click.FloatRange(min=0),
        help="What a round trip to the database takes, for what fixes save; estimated from the log if not given.",
    ),
    click.option(
        "--acknowledged",
        metavar="FILE",
        help="Findings that are accepted (pg95 ack). [default: .pg95/acknowledged.toml here or above]",
    ),
    click.option("--no-redact", is_flag=True, help="The same as --redact off."),
    click.option(
        "--fail-on",
        metavar="WHAT",
        default="never",
        show_default=True,
        help="Exit 1 on: target (that of statements missed or unknown), requests (the same of database time per request), findings (low or worse), and against a history new (findings) or regression (slower statements); several with commas.",
    ),
)


def shared_options(command: Command) -> Command:
    """Add the shared options to a command, in the order in which --help shows them."""
    for option in reversed(_INPUT_OPTIONS + _JUDGE_OPTIONS):
        command = option(command)
    return command


def replica_option(command: Command) -> Command:
    """Add the option that names replicas, whose scans of indexes count as well."""
    return click.option(
        "--replica",
        metavar="DSN",
        multiple=True,
        help="A streaming replica of the server of --dsn, whose scans count with its own; may be repeated.",
    )(command)


def explain_options(command: Command) -> Command:
    """Add the options that ask a live server for plans."""
    for option in reversed(_EXPLAIN_OPTIONS):
        command = option(command)
    return command


def explain_request(given: dict[str, Any]) -> ExplainRequest | None:
    """What plans a server is asked for; None where none are asked for, or the command has none.

    Raises:
        UsageError: there is no server to ask, or an option that says nothing without --explain.
    """
    analyze = given.get("explain_analyze", False)
    if "explain" not in given:  # other commands may have --max-seconds, too
        return None
    top, seconds, dsn = (given.get(name) for name in ("explain_top", "max_seconds", "explain_dsn"))
    if not analyze and not given.get("explain"):
        if top is not None or seconds is not None or dsn is not None:
            raise UsageError(
                "--explain-dsn, --explain-top and --max-seconds go with --explain or --explain-analyze"
            )
        return None
    if not given["dsn"] and not given["live"] and not dsn:
        raise UsageError(
            "--explain asks a live server: name it by --dsn or --explain-dsn, or give --live"
        )
    return ExplainRequest(analyze, top or TOP, seconds or MAX_SECONDS, dsn)


def pipeline_options(given: dict[str, Any]) -> "Options":
    """What the command line says, as the pipeline's Options.

    Raises:
        UsageError: no input at all, a time or zone that can't be read, or a configuration that is wrong.
    """
    from analyzer.model.sampling import LoggingSettings
    from analyzer.model.target import Target
    from analyzer.pipeline import Options
    from analyzer.sources.mapping import parse_map
    from analyzer.sources.options import ReadOptions

    sources = ("inputs", "dsn", "live", "queries", "redis_url")
    if not any(given.get(source) for source in sources):
        raise UsageError("give at least one INPUT (log files, folders, -), or --dsn, or --live")
    zone = given["tz"]
    configuration = configured(given)
    usual = configuration.target or Target()
    redact = "off" if given["no_redact"] else given["redact"]
    return Options(
        inputs=given["inputs"],
        read=ReadOptions(
            log_format=given["log_format"],
            log_line_prefix=given["log_line_prefix"],
            timezone=zone,
            since_us=moment(given["since"], zone, "--since"),
            until_us=moment(given["until"], zone, "--until"),
            mapping=parse_map(given["field_map"]) if given["field_map"] else None,
            show_values=redact == "off",
        ),
        live=given["live"],
        dsn=given["dsn"],
        schema=given["schema"],
        target=Target(given["target_ms"] or usual.ms, given["quantile"] or usual.quantile),
        targets=configuration.targets,
        method=given["method"],
        log_min_duration_ms=given["log_min_duration_ms"],
        sampled=LoggingSettings(
            sample_min_duration_ms=given["log_min_duration_sample_ms"],
            statement_rate=given["log_sample_rate"],
            transaction_rate=given["log_transaction_sample_rate"],
        ),
        redact=redact,
        max_index_width=given.get("max_width") or 3,
        workers=given["workers"],
        rtt_ms=given["rtt_ms"],
        acknowledged=given["acknowledged"],
        explain=explain_request(given),
        replicas=_replicas(given),
        every_table=given.get("every_table", False),
        verify=given.get("verify"),
        verify_seconds=given.get("verify_seconds") or VERIFY_SECONDS,
        announce=_announce,
    )


def _announce(text: str) -> None:
    say(text)


def _replicas(given: dict[str, Any]) -> tuple[str, ...]:
    """The servers of --replica; they are replicas of the one that is looked at."""
    replicas: tuple[str, ...] = given.get("replica") or ()
    if replicas and not given["dsn"] and not given["live"]:
        raise UsageError("--replica goes with --dsn: name the server that it is a replica of")
    return replicas


def configured(given: dict[str, Any]) -> "Configuration":
    """What the configuration says; nothing for a command without --config.

    Raises:
        UsageError: it cannot be read, or says what is not known.
    """
    from analyzer.configuration import Configuration, read_configuration

    return read_configuration(given["config"]) if "config" in given else Configuration()


def moment(text: str | None, zone: str | None, option: str) -> int | None:
    """A time as µs since the epoch: ISO 8601 (in `zone`, else UTC), or an age such as 2h or 3d."""
    if text is None:
        return None
    relative = _RELATIVE.fullmatch(text.strip().removesuffix("ago").strip())
    if relative:
        age = timedelta(**{_UNITS[relative[2]]: int(relative[1])})
        return int((datetime.now(UTC) - age).timestamp() * 1e6)
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=_zone(zone))
    except (ValueError, KeyError) as error:  # a zone that is not known is a KeyError
        raise UsageError(
            f"{option} {text!r} is no time: write 2026-11-22T08:00, 2026-11-22T08:00+01:00, 2h or 3d"
        ) from error
    return int(parsed.timestamp() * 1e6)


def _zone(name: str | None) -> tzinfo | None:
    if not name or name.upper() == "UTC":
        return UTC
    if name[0] in "+-":
        return datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


# What the shared options are when a command does not offer them.
DEFAULTS: dict[str, Any] = {
    "dsn": None,
    "live": False,
    "schema": None,
    "log_format": "auto",
    "log_line_prefix": None,
    "field_map": None,
    "log_min_duration_ms": None,
    "log_sample_rate": None,
    "log_min_duration_sample_ms": None,
    "log_transaction_sample_rate": None,
    "since": None,
    "until": None,
    "tz": None,
    "workers": 1,
    "target_ms": None,
    "quantile": None,
    "method": METHODS[0],
    "redact": "strict",
    "no_redact": False,
    "rtt_ms": None,
    "acknowledged": None,
    "fail_on": "never",
}
