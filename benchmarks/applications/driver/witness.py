"""The truth of a run: which request sent which statement from where. Runs inside an application.

A host tells of every statement before the driver is given it. The witness writes one JSON line for
each beside the SQL, never into it (`with_comment` is for the tagged run only). The call path is the
stack without frames of the framework's database layer, of the ORM and of the driver.
"""

import json
import random
import sys
import time
from pathlib import Path
from typing import Any, TextIO

# Frames that say how a statement reached the driver, not who asked for it.
_BELOW = (
    "/django/db/", "/psycopg/", "/psycopg_binary/", "/contextlib.py",
    "/site-packages/sqlalchemy/", "/flask_sqlalchemy/", "/psycopg2/",
)  # fmt: skip
_HERE = str(Path(__file__).resolve().parent)


class Witness:
    """Writes the truth of one process; `begin` and `end` say which request is running."""

    def __init__(self, output: TextIO, framework: str, *, tagged: bool) -> None:
        self._output = output
        self._framework = framework
        self._names: dict[str, str] = {}
        self._request: int | None = None
        self._route = ""
        self._trace = ""
        self.tagged = tagged
        self.statements = 0

    def begin(self, request: int, route: str) -> None:
        """A request starts."""
        self._request, self._route = request, route
        self._trace = f"{random.getrandbits(128):032x}"

    def end(self) -> None:
        """The request is answered."""
        self._request = None

    def with_comment(self, sql: str, *, escape: bool) -> str:
        """The statement with a comment as sqlcommenter writes it: one trace a request, one span each.

        With `escape`, per cent signs are doubled, as a driver reads them where it fills in parameters.
        """
        if self._request is None:
            return sql
        span = f"{random.getrandbits(64):016x}"
        route = self._route.replace("/", "%2F").replace("'", "%27")
        comment = f"/*framework='{self._framework}',route='{route}',traceparent='00-{self._trace}-{span}-01'*/"
        if escape:
            comment = comment.replace("%", "%%")
        return f"{sql.rstrip().removesuffix(';')} {comment}"

    def see(self, statement: str, values: Any) -> None:
        """Write a line for one execution that is about to be sent."""
        if self._request is None:
            return
        self.statements += 1
        line = {
            "request": self._request,
            "route": self._route,
            "statement": statement,
            "parameters": None if values is None else repr(values),
            "path": self._path(),
            "at": round(time.time(), 6),
        }
        self._output.write(json.dumps(line) + "\n")

    def _path(self) -> list[str]:
        """Where the statement was asked for, outermost first: file:line."""
        # Frames of this folder lie on both sides: the witness and its host below, the driver above.
        frame = sys._getframe(1)  # noqa: SLF001  # the traceback module's way, without its cost
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


def numbered(sql: str, values: Any) -> str:
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
