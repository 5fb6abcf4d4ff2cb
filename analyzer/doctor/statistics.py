"""Checks of what the server counts: pg_stat_statements, who may read it, and what it leaves out."""

from collections.abc import Iterator

from analyzer.doctor.remedies import Remedies, identifier
from analyzer.model.diagnosis import Check
from analyzer.model.examination import Examination

_QUERY_ID_SETTING = 14  # from that version on, compute_query_id
_GRANT_WITH_INHERIT = 16
_NAME = "pg_stat_statements"
_FULL = 0.9  # of pg_stat_statements.max: about to push out


def check_statistics(found: Examination, remedies: Remedies) -> Iterator[Check]:
    """The checks, in the order in which they are to be fixed."""
    yield _loaded(found, remedies)
    yield _extension(found)
    yield from _privileges(found, remedies)
    yield _query_ids(found, remedies)
    yield from _tracked(found, remedies)
    if found.extension.readable:
        yield _room(found, remedies)
    yield _io_timing(found, remedies)
    yield _activity_texts(found, remedies)


def _loaded(found: Examination, remedies: Remedies) -> Check:
    loaded = found.setting("shared_preload_libraries")
    names = [name.strip() for name in (loaded or "").split(",") if name.strip()]
    if _NAME in names or found.extension.readable:
        return Check("preloaded", "ok", f"{_NAME} is loaded by the server", essential=True)
    if loaded is None:
        fixes = remedies.grant("pg_read_all_settings")
        text = f"whether {_NAME} is loaded is hidden from this role (shared_preload_libraries)"
        return Check("preloaded", "warning", text, fixes, essential=True)
    fixes = remedies.set_list("shared_preload_libraries", [*names, _NAME], restart=True)
    return Check(
        "preloaded", "missing", f"{_NAME} is not loaded by the server", fixes, essential=True
    )


def _extension(found: Examination) -> Check:
    state = found.extension
    if state.version is None:
        text = f"{_NAME} is not installed in database {found.database}"
        if state.default_version is None:
            fix = (
                "apt-get install postgresql-contrib  # or your system's package of contrib modules"
            )
            return Check(
                "extension", "missing", f"{text}, and its files are missing", (fix,), essential=True
            )
        fix = f"CREATE EXTENSION {_NAME};  -- in database {found.database}, as a superuser"
        return Check("extension", "missing", text, (fix,), essential=True)
    place = f"{_NAME} {state.version} in schema {state.schema}"
    if not state.readable:
        text = f"{place} gives no counters: {state.why_not}"
        return Check("extension", "missing", text, essential=True)
    newest = state.default_version
    if newest is not None and newest != state.version:
        text = f"{place} is older than the server's {newest}, which counts more"
        fix = f"ALTER EXTENSION {_NAME} UPDATE;  -- in database {found.database}"
        return Check("extension", "warning", text, (fix,), essential=True)
    return Check("extension", "ok", place, essential=True)


def _privileges(found: Examination, remedies: Remedies) -> Iterator[Check]:
    role = found.role
    if role.reads_statistics or role.superuser:
        why = "is a superuser" if role.superuser else "has pg_read_all_stats"
        text = f"role {role.name} {why}: all statements' texts are seen"
        if role.superuser:
            text += " (pg95 needs no superuser: pg_monitor is enough)"
        yield Check("privileges", "ok", text, essential=True)
    elif role.may_read_statistics:
        text = (
            f"role {role.name} is a member of pg_read_all_stats, but does not inherit (NOINHERIT)"
        )
        fixes: tuple[str, ...] = (f"ALTER ROLE {identifier(role.name)} INHERIT;",)
        if found.snapshot.server.version // 10_000 >= _GRANT_WITH_INHERIT:
            fixes = (f"GRANT pg_read_all_stats TO {identifier(role.name)} WITH INHERIT TRUE;",)
        yield Check("privileges", "missing", text, fixes, essential=True)
    else:
        text = f"role {role.name} sees the texts of its own statements alone"
        yield Check(
            "privileges", "missing", text, remedies.grant("pg_read_all_stats"), essential=True
        )
    if not role.reads_settings and not role.superuser:
        text = (
            "settings such as shared_preload_libraries and log_directory are hidden from this role"
        )
        yield Check("settings-seen", "warning", text, remedies.grant("pg_monitor"))


def _query_ids(found: Examination, remedies: Remedies) -> Check:
    value = found.setting("compute_query_id")
    if value is None:
        hidden = found.snapshot.server.version // 10_000 >= _QUERY_ID_SETTING
        text = "hidden" if hidden else f"{_NAME} makes its own before PostgreSQL 14"
        return Check("query-ids", "ok", f"query ids: {text}")
    if value in ("auto", "on", "regress"):
        text = f"compute_query_id = {value}: statements have ids"
        return Check("query-ids", "ok", text, essential=True)
    text = f"compute_query_id = {value}: nothing is counted"
    return Check(
        "query-ids", "missing", text, remedies.set("compute_query_id", "auto"), essential=True
    )


def _tracked(found: Examination, remedies: Remedies) -> Iterator[Check]:
    track = found.setting(f"{_NAME}.track")
    if track == "none":
        text = f"{_NAME}.track = none: nothing is counted"
        yield Check("track", "missing", text, remedies.set(f"{_NAME}.track", "top"), essential=True)
    elif track is not None:
        nested = "nested ones, too, which are told apart" if track == "all" else "at top level"
        yield Check("track", "ok", f"{_NAME}.track = {track}: statements count {nested}")
    if found.setting(f"{_NAME}.track_utility") == "off":
        text = f"{_NAME}.track_utility = off: COMMIT and its like are not counted, but are logged"
        fixes = remedies.set(f"{_NAME}.track_utility", "on")
        yield Check("track-utility", "warning", text, fixes)
    if found.setting(f"{_NAME}.save") == "off":
        text = f"{_NAME}.save = off: each restart loses all counters"
        yield Check("save", "warning", text, remedies.set(f"{_NAME}.save", "on"))


def _room(found: Examination, remedies: Remedies) -> Check:
    """pg_stat_statements.max against what is pushed out for want of room."""
    most, rows = found.setting(f"{_NAME}.max"), len(found.snapshot.counters)
    room = int(most) if most is not None and most.isdigit() else None
    pushed = found.snapshot.evictions
    name = f"{_NAME}.max = {most or 'unknown'}"
    if not pushed:
        text = f"{name}: {rows} statements are counted, and none was pushed out"
        if pushed is None:
            text = (
                f"{name}: {rows} statements are counted; the extension does not tell of evictions"
            )
        tight = room is not None and rows > _FULL * room
        return Check("room", "warning" if tight else "ok", text)
    since = found.snapshot.reset_us
    days = (found.snapshot.taken_us - since) / 86_400e6 if since is not None else None
    rate = f" ({pushed / days:.1f} a day)" if days and days >= 1 else ""
    text = (
        f"{name} is too small: {pushed} times the rarest statements were pushed out{rate}, each time 5 %. "
        "Windows are not complete then"
    )
    wanted = max(2 * (room or 5000), 10_000)
    fixes = remedies.set(f"{_NAME}.max", str(wanted), restart=True)
    return Check("room", "warning", text, fixes)


def _io_timing(found: Examination, remedies: Remedies) -> Check:
    if found.setting("track_io_timing") == "on":
        return Check("io-timing", "ok", "track_io_timing = on: time spent on reading is told")
    text = (
        "track_io_timing = off: whether a statement waits for the disk is not told "
        "(pg_test_timing says what it costs on this machine)"
    )
    return Check("io-timing", "warning", text, remedies.set("track_io_timing", "on"))


def _activity_texts(found: Examination, remedies: Remedies) -> Check:
    """pg_stat_activity alone cuts texts; logs and pg_stat_statements have them whole."""
    size = int(found.setting("track_activity_query_size") or 1024)
    longer = [row for row in found.snapshot.counters if len(row.query.encode()) >= size]
    if not longer:
        text = f"track_activity_query_size = {size} bytes is enough for all counted statements"
        return Check("activity-texts", "ok", text)
    longest = max(len(row.query.encode()) for row in longer)
    text = (
        f"track_activity_query_size = {size} bytes cuts {len(longer)} statements in pg_stat_activity "
        f"(the longest has {longest}); logs and {_NAME} have them whole"
    )
    wanted = min(max(4096, 1 << longest.bit_length()), 1_048_576)
    fixes = remedies.set("track_activity_query_size", str(wanted), restart=True)
    return Check("activity-texts", "warning", text, fixes)
