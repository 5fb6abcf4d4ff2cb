"""Opens a Django application for the driver. Its `settings.py` are Django's settings."""

import json
import os
from typing import Any

from witness import Witness, numbered


class Host:
    """See `drive.Host`."""

    def __init__(self, application: str) -> None:
        os.environ["DJANGO_SETTINGS_MODULE"] = f"{application}.settings"
        import django

        django.setup()

    def make_tables(self) -> None:
        """Run the migrations."""
        from django.core.management import call_command

        call_command("migrate", verbosity=0, run_syncdb=True)

    def fill(self, seed: Any, plan: Any) -> Any:
        """Call `seed`, then `plan`."""
        from django.db import connection

        seed()
        requests = plan()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return requests

    def client(self) -> Any:
        """Django's own test client, which calls the application without a network."""
        from django.test import Client

        return Client(raise_request_exception=False, headers={"host": "localhost"})

    def send(self, client: Any, request: dict[str, Any]) -> tuple[int, str | None]:
        """Send one request."""
        extra = {}
        if "data" in request:
            extra["data"] = request["data"]
        if "json" in request:
            extra["data"], extra["content_type"] = json.dumps(request["json"]), "application/json"
        if "headers" in request:
            extra["headers"] = request["headers"]
        response = getattr(client, request.get("method", "get"))(request["path"], **extra)
        if getattr(response, "streaming", False):
            b"".join(response.streaming_content)
        return response.status_code, response.headers.get("location")

    def watch(self, witness: Witness) -> None:
        """An execute wrapper on every connection sees what cursors are given."""
        from django.db import connections
        from django.db.backends.signals import connection_created

        wrappers = _Wrappers(witness)
        for connection in connections.all(initialized_only=True):
            connection.close()
        connection_created.connect(wrappers.add, weak=False)


class _Wrappers:
    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def add(self, connection: Any, **_: Any) -> None:
        """Wrap a connection's execution, once."""
        wrappers = connection.execute_wrappers
        if self._see not in wrappers:
            if self._witness.tagged:
                wrappers.append(self._tag)
            wrappers.append(self._see)

    def _tag(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if isinstance(sql, str):
            sql = self._witness.with_comment(sql, escape=params is not None)
        return execute(sql, params, many, context)

    def _see(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        for values in params if many else [params]:
            self._witness.see(_as_sent(context["cursor"].cursor, sql, values), values)
        return execute(sql, params, many, context)


def _as_sent(cursor: Any, sql: Any, values: Any) -> str:
    """The text that psycopg 3 will send for a statement and its parameters."""
    if not isinstance(sql, str):
        sql = sql.as_string(cursor)
    if name := getattr(cursor, "name", None):
        hold = " WITH HOLD" if cursor.withhold else ""
        scroll = {None: "", True: " SCROLL", False: " NO SCROLL"}[cursor.scrollable]
        return f'DECLARE "{name}"{scroll} CURSOR{hold} FOR {numbered(sql, values)}'
    if values is not None and hasattr(cursor, "mogrify"):
        text = cursor.mogrify(sql, values)
        return text.decode() if isinstance(text, bytes) else str(text)
    return numbered(sql, values)
