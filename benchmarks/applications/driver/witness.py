"""The truth of a run: which request sent which statement from where. Runs inside an application.

An execute wrapper of Django sees every statement that a cursor is given, before the driver does. It
writes one JSON line for each beside the SQL, never into it (the tagged run has a second wrapper
for that). The call path is the stack without frames of Django's database layer and of the driver.
"""

import json
import random
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from django.db import connections
from django.db.backends.signals import connection_created

# Frames that say how a statement reached the driver, not who asked for it.
_BELOW = ("/django/db/", "/psycopg/", "/psycopg_binary/", "/contextlib.py")
_HERE = str(Path(__file__).resolve().parent)


class Witness:
    """Writes the truth of one process; `begin` and `end` say which request is running."""

    def __init__(self, output: TextIO, *, tagged: bool) -> None:
        self._output = output
        self._tagged = tagged
        self._names: dict[str, str] = {}
        self._request: int | None = None
        self._route = ""
        self._trace = ""
        self.statements = 0

    def install(self) -> None:
        """Watch every connection of this process, those that are open and those to come."""
        for connection in connections.all(initialized_only=True):
            connection.close()
        connection_created.connect(self._watch, weak=False)

    def begin(self, request: int, route: str) -> None:
        """A request starts."""
        self._request, self._route = request, route
        self._trace = f"{random.getrandbits(128):032x}"

    def end(self) -> None:
        """The request is answered."""
        self._request = None

    def _watch(self, connection: Any, **_: Any) -> None:
        wrappers = connection.execute_wrappers
        if self.see not in wrappers:
            if self._tagged:
                wrappers.append(self.tag)
            wrappers.append(self.see)

    def tag(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        """Append a comment as sqlcommenter does: one trace a request, one span a statement."""
        if self._request is not None and isinstance(sql, str):
            span = f"{random.getrandbits(64):016x}"
            route = self._route.replace("/", "%%2F").replace("'", "%%27")
            comment = (
                f"/*framework='django',route='{route}',traceparent='00-{self._trace}-{span}-01'*/"
            )
            if params is None:
                comment = comment.replace("%%", "%")
            sql = f"{sql.rstrip().removesuffix(';')} {comment}"
        return execute(sql, params, many, context)

    def see(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        """Write one line for each execution that is about to be sent."""
        if self._request is not None:
            path = self._path()
            for values in params if many else [params]:
                self._write(_as_sent(context["cursor"].cursor, sql, values), values, path)
        return execute(sql, params, many, context)

    def _write(self, statement: str, values: Any, path: list[str]) -> None:
        self.statements += 1
        line = {
            "request": self._request,
            "route": self._route,
            "statement": statement,
            "parameters": None if values is None else repr(values),
            "path": path,
            "at": round(time.time(), 6),
        }
        self._output.write(json.dumps(line) + "\n")

    def _path(self) -> list[str]:
        """Where the statement was asked for, outermost first: file:line."""
        # Below the third frame: this method, `see`, and Django's call of it.
        frame = sys._getframe(3)  # noqa: SLF001  # the traceback module's way, without its cost
        path = []
        while frame is not None:
            code = frame.f_code.co_filename
            if code.startswith(_HERE):
                if code.endswith("drive.py"):
                    break
            elif not any(part in code for part in _BELOW):
                path.append(f"{self._name(code)}:{frame.f_lineno}")
            frame = frame.f_back
        path.reverse()
        return path

    def _name(self, code: str) -> str:
        """A file's name without the place where it is installed."""
        known = self._names.get(code)
        if known is None:
            for root in ("/site-packages/", "/lib/python3.11/", "/applications/"):
                if root in code:
                    known = code.rpartition(root)[2]
                    break
            else:
                known = Path(code).name
            self._names[code] = known
        return known


def _as_sent(cursor: Any, sql: Any, values: Any) -> str:
    """The text that the driver will send for a statement and its parameters."""
    if not isinstance(sql, str):
        sql = sql.as_string(cursor)
    if name := getattr(cursor, "name", None):
        hold = " WITH HOLD" if cursor.withhold else ""
        scroll = {None: "", True: " SCROLL", False: " NO SCROLL"}[cursor.scrollable]
        return f'DECLARE "{name}"{scroll} CURSOR{hold} FOR {_numbered(sql, values)}'
    if values is not None and hasattr(cursor, "mogrify"):
        text = cursor.mogrify(sql, values)
        return text.decode() if isinstance(text, bytes) else str(text)
    return _numbered(sql, values)


def _numbered(sql: str, values: Any) -> str:
    """`%s` as `$1`, `$2` …, as psycopg sends a statement whose parameters travel apart."""
    if values is None:
        return sql
    if isinstance(values, dict):
        for number, key in enumerate(values, start=1):
            sql = sql.replace(f"%({key})s", f"${number}")
        return sql.replace("%%", "%")
    parts = sql.replace("%%", "\0").split("%s")
    text = parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], 1))
    return text.replace("\0", "%")
