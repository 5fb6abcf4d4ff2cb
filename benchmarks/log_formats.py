"""One log entry as PostgreSQL 15 writes it: stderr, csvlog or jsonlog.

stderr has `log_line_prefix = '%m [%p] %u@%d '`; csvlog has its 26 columns; jsonlog leaves out what
is not set, as the server does.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from json.encoder import encode_basestring as json_text
from typing import NamedTuple

STDERR_PREFIX = "%m [%p] %u@%d "
FILE_NAMES = {
    "stderr": "postgresql.log",
    "csvlog": "postgresql.csv",
    "jsonlog": "postgresql.json",
}


def format_names(text: str) -> list[str]:
    """The formats of a comma-separated list; for argparse."""
    names = text.split(",")
    if unknown := [name for name in names if name not in FILE_NAMES]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(FILE_NAMES)}")
    return names


class Entry(NamedTuple):
    """What one call of the server's ereport() says; "" and 0 are: not set."""

    message: str
    tag: str = "SELECT"
    query_id: int = 0
    severity: str = "LOG"
    code: str = "00000"
    detail: str = ""
    hint: str = ""
    context: str = ""
    statement: str = ""


@dataclass(slots=True)
class Process:
    """A server process as its log entries show it; `user` is "" before it is known.

    `host` and `port` are the client's ("" and 0 for the server's own processes); `number` is its
    place among the backends, `local` the number of its current transaction (0: none) out of
    `serial` so far, `transaction` that one's id (0: none), `in_block` whether BEGIN opened it.
    """

    pid: int
    session_id: str
    start: str
    number: int
    kind: str = "client backend"
    user: str = ""
    database: str = ""
    application: str = ""
    host: str = ""
    port: int = 0
    line: int = 0
    serial: int = 0
    local: int = 0
    transaction: int = 0
    in_block: bool = False
    stderr_head: str = ""
    csv_head: str = ""
    json_head: str = ""
    prepared: set[int] = field(default_factory=set)

    def introduce(self) -> None:
        """Render what all its entries begin with; again when user or database become known."""
        unknown = "[unknown]" if self.host else ""
        self.stderr_head = f" [{self.pid}] {self.user or unknown}@{self.database or unknown} "
        user = f'"{self.user}","{self.database}"' if self.user else ","
        client = f'"{self.host}:{self.port}"' if self.host else ""
        self.csv_head = f",{user},{self.pid},{client},{self.session_id},"
        named = f'"user":"{self.user}","dbname":"{self.database}",' if self.user else ""
        remote = f'"remote_host":"{self.host}","remote_port":{self.port},' if self.host else ""
        self.json_head = f'{named}"pid":{self.pid},{remote}"session_id":"{self.session_id}",'


def _tabbed(text: str) -> str:
    return text.replace("\n", "\n\t")


def stderr(stamp: str, process: Process, entry: Entry) -> str:
    """The entry in stderr's format: a line per part, the lines within a part behind a TAB."""
    head = stamp + process.stderr_head
    text = f"{head}{entry.severity}:  {_tabbed(entry.message)}\n"
    if entry.detail:
        text += f"{head}DETAIL:  {_tabbed(entry.detail)}\n"
    if entry.hint:
        text += f"{head}HINT:  {_tabbed(entry.hint)}\n"
    if entry.context:
        text += f"{head}CONTEXT:  {_tabbed(entry.context)}\n"
    if entry.statement:
        text += f"{head}STATEMENT:  {_tabbed(entry.statement)}\n"
    return text


def _csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if text else ""


def csvlog(stamp: str, process: Process, entry: Entry) -> str:
    """The entry as a row of 26 columns."""
    transaction = f"{process.number}/{process.local}" if process.user else ""
    return (
        f'{stamp}{process.csv_head}{process.line},"{entry.tag}",{process.start},{transaction},'
        f"{process.transaction},{entry.severity},{entry.code},{_csv(entry.message)},"
        f"{_csv(entry.detail)},{_csv(entry.hint)},,,{_csv(entry.context)},{_csv(entry.statement)},,,"
        f'"{process.application}","{process.kind}",,{entry.query_id}\n'
    )


def jsonlog(stamp: str, process: Process, entry: Entry) -> str:
    """The entry as an object on a line."""
    transaction = f'"vxid":"{process.number}/{process.local}",' if process.user else ""
    rest = f'"state_code":"{entry.code}",' if entry.code != "00000" else ""
    rest += f'"message":{json_text(entry.message)},'
    if entry.detail:
        rest += f'"detail":{json_text(entry.detail)},'
    if entry.hint:
        rest += f'"hint":{json_text(entry.hint)},'
    if entry.context:
        rest += f'"context":{json_text(entry.context)},'
    if entry.statement:
        rest += f'"statement":{json_text(entry.statement)},'
    if process.application:
        rest += f'"application_name":"{process.application}",'
    return (
        f'{{"timestamp":"{stamp}",{process.json_head}"line_num":{process.line},'
        f'"ps":"{entry.tag}","session_start":"{process.start}",{transaction}'
        f'"txid":{process.transaction},"error_severity":"{entry.severity}",{rest}'
        f'"backend_type":"{process.kind}","query_id":{entry.query_id}}}\n'
    )


RENDERERS: dict[str, Callable[[str, Process, Entry], str]] = {
    "stderr": stderr,
    "csvlog": csvlog,
    "jsonlog": jsonlog,
}
