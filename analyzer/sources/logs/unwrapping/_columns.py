"""csvlog's columns by name, as some hosts give entries, turned into jsonlog's objects."""

import json
from collections.abc import Mapping

# csvlog's column: jsonlog's key (elog.c, jsonlog.c).
_KEYS = {
    "log_time": "timestamp",
    "user_name": "user",
    "database_name": "dbname",
    "process_id": "pid",
    "session_id": "session_id",
    "session_line_num": "line_num",
    "command_tag": "ps",
    "session_start_time": "session_start",
    "virtual_transaction_id": "vxid",
    "transaction_id": "txid",
    "error_severity": "error_severity",
    "sql_state_code": "state_code",
    "message": "message",
    "detail": "detail",
    "hint": "hint",
    "internal_query": "internal_query",
    "internal_query_pos": "internal_position",
    "context": "context",
    "query": "statement",
    "query_pos": "cursor_position",
    "application_name": "application_name",
    "backend_type": "backend_type",
    "leader_pid": "leader_pid",
    "query_id": "query_id",
}
_NUMBERS = frozenset(
    (
        "process_id",
        "session_line_num",
        "transaction_id",
        "internal_query_pos",
        "query_pos",
        "leader_pid",
        "query_id",
    )
)
_SUCCESS = "00000"


def jsonlog_entry(columns: Mapping[str, object]) -> dict[str, object]:
    """The entry with jsonlog's keys; empty columns are left out, as PostgreSQL does."""
    entry: dict[str, object] = {}
    for column, key in _KEYS.items():
        value = columns.get(column)
        if value is None or value == "":
            continue
        if column in _NUMBERS and isinstance(value, str):
            value = _number(value)
        entry[key] = value
    if entry.get("state_code") == _SUCCESS:
        del entry["state_code"]
    _remote(columns.get("connection_from"), entry)
    return entry


def _number(text: str) -> int | str:
    digits = text.removeprefix("-")
    return int(text) if digits.isdecimal() and len(digits) < 20 else text  # noqa: PLR2004  # 64 bits


def _remote(value: object, entry: dict[str, object]) -> None:
    if not isinstance(value, str) or not value:
        return
    host, colon, port = value.rpartition(":")
    if colon and port.isdecimal():
        entry["remote_host"], entry["remote_port"] = host, _number(port)
    else:
        entry["remote_host"] = value


def jsonlog_lines(entries: list[dict[str, object]]) -> bytes:
    """The entries as jsonlog has them, one to a line."""
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
