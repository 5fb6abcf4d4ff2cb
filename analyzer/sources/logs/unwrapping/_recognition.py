"""Whether a log is wrapped, and in what: told from the bytes at its head."""

import io
from collections.abc import Callable, Mapping
from typing import BinaryIO, cast

from analyzer.sources.logs.unwrapping import (
    azure,
    cloud_logging,
    cloudnativepg,
    cloudwatch,
    containers,
    journald,
    logplex,
    opentelemetry,
    supabase,
    syslog,
)
from analyzer.sources.logs.unwrapping._base import Unwrapper
from analyzer.sources.logs.unwrapping._columns import jsonlog_entry
from analyzer.sources.logs.unwrapping._entries import ENTRY, LONGEST_PREFIX, SEVERITY
from analyzer.sources.logs.unwrapping._json import Objects, records_of

UNWRAPPERS: Mapping[str, type[Unwrapper]] = {
    kind.name: kind
    for kind in (
        syslog.SyslogUnwrapper,
        logplex.LogplexUnwrapper,
        journald.JournaldUnwrapper,
        cloud_logging.CloudLoggingUnwrapper,
        cloudwatch.CloudWatchUnwrapper,
        azure.AzureUnwrapper,
        cloudnativepg.CloudNativePgUnwrapper,
        supabase.SupabaseUnwrapper,
        opentelemetry.OpenTelemetryUnwrapper,
        containers.CriUnwrapper,
        containers.DockerUnwrapper,
    )
}
_SAMPLES = 60
_LINES = 400
_SHARE = 0.5  # of the lines that have to look like it


def _cloud_logging(value: dict[str, object]) -> bool:
    return "textPayload" in value and bool(value.keys() & {"logName", "insertId", "resource"})


def _azure(value: dict[str, object]) -> bool:
    category = str(value.get("category", value.get("Category", ""))).lower()
    fields = azure.fields_of(value)
    if category:
        return category == "postgresqllogs" and "message" in fields
    return fields.keys() >= {"errorlevel", "message", "timegenerated"}


def _cloudnativepg(value: dict[str, object]) -> bool:
    record = value.get("record")
    if not isinstance(record, dict):
        return value.keys() >= {"logger", "logging_pod", "msg"}
    return {"timestamp", "error_severity"} <= jsonlog_entry(record).keys()


def _supabase(value: dict[str, object]) -> bool:
    if "event_message" not in value or "timestamp" not in value:
        return False
    return bool(supabase.columns_of(value)) or "id" in value


def _cloudwatch(value: dict[str, object]) -> bool:
    if "@message" in value and "@timestamp" in value:
        return True
    marks = {"ingestionTime", "eventId", "logStreamName", "id"}
    return value.keys() >= {"message", "timestamp"} and bool(value.keys() & marks)


# What a record's keys say. The first that fits wins; PostgreSQL's own jsonlog fits none.
_KINDS: tuple[tuple[str, Callable[[dict[str, object]], bool], str], ...] = (
    (
        "journald",
        lambda value: value.keys() >= {"MESSAGE", "__REALTIME_TIMESTAMP"},
        "the journal's",
    ),
    ("otlp", lambda value: "resourceLogs" in value, "OTLP's"),
    ("cloudsql", _cloud_logging, "Cloud Logging's"),
    ("cnpg", _cloudnativepg, "CloudNativePG's"),
    ("azure", _azure, "Azure's"),
    ("docker", lambda value: value.keys() >= {"log", "stream"}, "Docker's"),
    ("supabase", _supabase, "Supabase's"),
    ("cloudwatch", _cloudwatch, "CloudWatch's"),
)


def recognise_wrapping(head: bytes) -> tuple[str, str] | None:
    """In what a log that begins with `head` is wrapped, and why it is taken for that.

    None if it is not wrapped (stderr, csvlog, jsonlog) or no log at all.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return _json_kind(text)
    return _line_kind(head)


def _json_kind(head: bytes) -> tuple[str, str] | None:
    counts: dict[str, int] = {}
    seen = 0
    for value in _samples(head):
        seen += 1
        name = next((name for name, fits, _ in _KINDS if fits(value)), None)
        if name is not None:
            counts[name] = counts.get(name, 0) + 1
    if not counts:
        return None
    name = max(counts, key=lambda one: counts[one])
    if counts[name] < _SHARE * seen and name != "cnpg":  # much comes from its other programs
        return None
    whose = next(whose for kind, _, whose in _KINDS if kind == name)
    return name, f"{counts[name]} of {seen} sample records have {whose} keys"


def _samples(head: bytes) -> list[dict[str, object]]:
    """The first records of a JSON export, however it is laid out."""
    values: list[dict[str, object]] = []
    for record in Objects(cast("BinaryIO", io.BytesIO()), head).read():
        if record.value is not None:
            values += records_of(record.value)
        if len(values) >= _SAMPLES:
            break
    return values[:_SAMPLES]


def _line_kind(head: bytes) -> tuple[str, str] | None:
    lines = [line for line in head.split(b"\n")[:-1] or [head] if line.strip()][:_LINES]
    counted = [line for line in lines if line[:1] != b"\t"]
    if not counted:
        return None
    for name, count in (
        ("logplex", _logplex(counted)),
        ("syslog", _syslog(counted)),
        ("cri", _cri(counted)),
    ):
        if count and count >= _SHARE * len(counted):
            return name, f"{count} of {len(counted)} sample lines begin as its records do"
    return None


def _syslog(lines: list[bytes]) -> int:
    """How many lines are syslog records, 0 if none of them is PostgreSQL's."""
    found = [(line, header) for line in lines if (header := syslog.HEADER.match(line))]
    for line, header in found:
        name, _ = syslog.program(header[2] or header[3])
        rest = line[header.end() :]
        if name in syslog.SERVERS or (
            journald.NUMBERED.match(rest) and ENTRY.search(rest, 0, LONGEST_PREFIX)
        ):
            return len(found)
    return 0


def _logplex(lines: list[bytes]) -> int:
    """How many lines are Heroku's, 0 if none of them is PostgreSQL's."""
    found = [header for line in lines if (header := syslog.HEADER.match(line))]
    for header in found:
        if logplex.PROCESS.fullmatch(syslog.program(header[2] or header[3])[1]):
            return len(found)
    return 0


def _cri(lines: list[bytes]) -> int:
    """How many lines are a container runtime's, 0 if nothing of PostgreSQL's is in them."""
    found = [line for line in lines if containers.CRI_LINE.match(line)]
    if any(SEVERITY.search(line, 0, LONGEST_PREFIX) or b'"record":{' in line for line in found):
        return len(found)
    return len(found) if any(b'"error_severity":' in line for line in found) else 0
