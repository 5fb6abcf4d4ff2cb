"""Checks of what the server logs: which executions, where to, and what each line tells."""

import re
from collections.abc import Iterator

from analyzer.doctor.remedies import Remedies, together
from analyzer.model.diagnosis import Check, CheckStatus
from analyzer.model.examination import Examination
from analyzer.patterns import regex

_SUGGESTED_PREFIX = "%m [%p] %q%u@%d/%a %c %l "
_ESCAPES = regex(r"%-?\d*([a-zA-Z])")
_NEEDED = (
    ("mnt", "%m", "when an entry was written"),
    ("pc", "%p", "which session it is of"),
    ("c", "%c", "sessions apart whose process number comes again"),
    ("l", "%l", "the order of entries within a session"),
)
_USEFUL = (
    ("d", "%d", "the database"),
    ("u", "%u", "the user"),
    ("a", "%a", "the application"),
)


def check_logging(found: Examination, remedies: Remedies, target_ms: float) -> Iterator[Check]:
    """The checks of the log."""
    if found.setting("log_min_messages") in ("fatal", "panic"):
        text = (
            f"log_min_messages = {found.setting('log_min_messages')}: no duration is logged at all"
        )
        fixes = remedies.set("log_min_messages", "warning")
        yield Check("coverage", "missing", text, fixes, essential=True)
    else:
        yield _coverage(found, remedies, target_ms)
    yield from _failed(found, remedies)
    yield from _doubled(found, remedies)
    yield from _destination(found, remedies)
    yield from _prefix(found, remedies)
    yield from _details(found, remedies)
    yield from _events(found, remedies)
    yield from _overrides(found)


def _number(found: Examination, name: str, default: float) -> float:
    value = found.setting(name)
    try:
        return float(value) if value is not None else default
    except ValueError:
        return default


def _coverage(found: Examination, remedies: Remedies, target_ms: float) -> Check:
    """Which executions are in the log, and what that is worth for a verdict."""
    from_ms = _number(found, "log_min_duration_statement", -1)
    whole = _number(found, "log_transaction_sample_rate", 0)
    sampled = _sampled(found)
    fixes = remedies.set("log_min_duration_statement", f"{_threshold(target_ms):g}ms")
    how = f"log_min_duration_statement = {from_ms:g} ms"
    if _in_two_entries(found):
        text = (
            "log_statement = all and log_duration = on: every execution is logged, in two entries"
        )
        return Check("coverage", "ok", text, essential=True)
    if from_ms == 0 or sampled == (0, 1):
        text = f"{how}: every execution is logged, the P95 is exact and loops are found"
        return Check("coverage", "ok", text, essential=True)
    if 0 < from_ms <= target_ms:
        text = (
            f"{how}: slower ones are logged, and with pg_stat_statements the verdict on P95 < "
            f"{target_ms:g} ms is sure (tail-exact). Loops of fast statements are not seen: "
            "pg95 doctor --plan-logging has a window for them"
        )
        return Check("coverage", "ok", text, essential=True)
    if sampled is not None or whole > 0:
        share = max(sampled[1] if sampled else 0, whole)
        text = f"a sample is logged ({share:g} of the executions): the P95 has an interval"
        if from_ms > 0:
            text += f", and all from {from_ms:g} ms on"
        return Check("coverage", "ok", text, essential=True)
    if from_ms > target_ms:
        text = (
            f"{how}, above the target of {target_ms:g} ms: what is between the two is not seen, "
            "and the verdict stays unknown where the P95 lies there"
        )
        return Check("coverage", "missing", text, fixes, essential=True)
    text = f"{how}: no execution is logged with its duration"
    if found.setting("log_duration") == "on":
        text = (
            "log_duration = on without statements: durations are logged that belong to no statement"
        )
    return Check("coverage", "missing", text, fixes, essential=True)


def _sampled(found: Examination) -> tuple[float, float] | None:
    """From which duration on statements are sampled, and at which rate; None if they are not."""
    from_ms = _number(found, "log_min_duration_sample", -1)
    rate = _number(found, "log_statement_sample_rate", 1)
    return (from_ms, rate) if from_ms >= 0 and rate > 0 else None


def _threshold(target_ms: float) -> float:
    """A round duration well below the target."""
    return next((t for t in (100, 50, 20, 10, 5, 2, 1) if t <= target_ms / 2), 0)


def _in_two_entries(found: Examination) -> bool:
    return found.setting("log_statement") == "all" and found.setting("log_duration") == "on"


def _failed(found: Examination, remedies: Remedies) -> Iterator[Check]:
    """Statements that were cancelled or failed count with at least their time, if they are named."""
    for name in ("log_min_error_statement", "log_min_messages"):
        if found.setting(name) in ("log", "fatal", "panic"):
            text = f"{name} = {found.setting(name)}: statements that fail or time out are not seen"
            value = "error" if name == "log_min_error_statement" else "warning"
            yield Check(name.replace("_", "-"), "warning", text, remedies.set(name, value))


def _doubled(found: Examination, remedies: Remedies) -> Iterator[Check]:
    """Settings that write each statement a second time, and tell nothing new."""
    said = found.setting("log_statement")
    everything = _number(found, "log_min_duration_statement", -1) == 0
    if _in_two_entries(found) and not everything:
        text = "log_min_duration_statement = 0 would log the same in one entry each"
        fixes = together(
            remedies.set("log_min_duration_statement", "0"),
            remedies.set("log_statement", "ddl"),
            remedies.set("log_duration", "off"),
        )
        yield Check("log-statement", "warning", text, fixes)
        return
    if said in ("all", "mod"):
        text = f"log_statement = {said} writes statements without their durations"
        text += ", beside log_min_duration_statement = 0 once more" if everything else ""
        yield Check("log-statement", "warning", text, remedies.set("log_statement", "ddl"))
    if found.setting("log_duration") == "on" and not everything:
        text = "log_duration = on writes durations of statements that are not named: volume alone"
        yield Check("log-duration", "warning", text, remedies.set("log_duration", "off"))


def _destination(found: Examination, remedies: Remedies) -> Iterator[Check]:
    where = found.setting("log_destination") or "unknown"
    collector = found.setting("logging_collector")
    if remedies.provider is not None:
        yield Check("destination", "ok", f"log_destination = {where}; {remedies.provider.logs}")
        return
    folder = found.setting("log_directory")
    if collector == "on":
        place = f"{folder}/{found.setting('log_filename')}" if folder else "its log_directory"
        text = (
            f"log_destination = {where}, into {place} (within the data directory, if not absolute)"
        )
        yield Check("destination", "ok", text)
    elif "csvlog" in where or "jsonlog" in where:
        text = f"log_destination = {where} without logging_collector: these files are not written"
        fixes = remedies.set("logging_collector", "on", restart=True)
        yield Check("destination", "missing", text, fixes, essential=True)
    else:
        text = (
            f"log_destination = {where} without logging_collector: the log goes to who started the "
            "server (pg_ctl -l, systemd's journal, Debian's /var/log/postgresql)"
        )
        yield Check("destination", "ok", text)


def _prefix(found: Examination, remedies: Remedies) -> Iterator[Check]:
    """What log_line_prefix lacks; csvlog and jsonlog have it all."""
    prefix, where = found.setting("log_line_prefix"), found.setting("log_destination") or "stderr"
    if not ("stderr" in where or "syslog" in where) or prefix is None:
        yield Check("prefix", "ok", f"log_destination = {where} needs no log_line_prefix")
        return
    there = set(_ESCAPES.findall(prefix))
    lacking = [(escape, what) for ones, escape, what in _NEEDED if not there & set(ones)]
    useful = [(escape, what) for ones, escape, what in _USEFUL if not there & set(ones)]
    if not lacking and not useful:
        yield Check("prefix", "ok", f"log_line_prefix = {prefix!r} has what is needed")
        return
    told = "; ".join(f"{escape}: {what}" for escape, what in [*lacking, *useful])
    text = f"log_line_prefix = {prefix!r} lacks {told}"
    essential = not there & set("mnt")
    status: CheckStatus = "missing" if essential else "warning"
    fixes = remedies.set("log_line_prefix", _SUGGESTED_PREFIX)
    yield Check("prefix", status, text, fixes, essential=essential)


def _details(found: Examination, remedies: Remedies) -> Iterator[Check]:
    if found.setting("log_error_verbosity") == "terse":
        text = "log_error_verbosity = terse leaves out DETAIL: no parameters, so loops are guessed"
        yield Check("verbosity", "warning", text, remedies.set("log_error_verbosity", "default"))
    if found.setting("log_parameter_max_length") == "0":
        text = "log_parameter_max_length = 0 leaves out parameters, so loops are guessed"
        fixes = remedies.set("log_parameter_max_length", "-1")
        yield Check("parameters", "warning", text, fixes)
    language = found.setting("lc_messages")
    if language and not re.match(r"(C|POSIX|en)", language):
        text = f"lc_messages = {language}: pg95 reads English messages"
        yield Check("language", "missing", text, remedies.set("lc_messages", "C"), essential=True)


def _events(found: Examination, remedies: Remedies) -> Iterator[Check]:
    wanted = (
        ("log_lock_waits", "off", "on", "waits for locks"),
        ("log_temp_files", "-1", "0", "temporary files"),
    )
    off = [(name, on, what) for name, value, on, what in wanted if found.setting(name) == value]
    if off:
        text = "not logged: " + ", ".join(f"{what} ({name})" for name, _, what in off)
        fixes = together(*(remedies.set(name, on) for name, on, _ in off))
        yield Check("events", "warning", text, fixes)
    else:
        yield Check("events", "ok", "waits for locks and temporary files are logged")


def _overrides(found: Examination) -> Iterator[Check]:
    """Settings of roles and databases: there the server's own do not hold."""
    for one in found.overrides:
        whose = " in ".join(
            [f"role {one.role}"] * (one.role is not None)
            + [f"database {one.database}"] * (one.database is not None)
        )
        text = f"{whose or 'all roles'} has {one.name} = {one.value} of its own"
        yield Check("override", "warning", text)
