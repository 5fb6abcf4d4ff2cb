"""Opens an application of Flask, SQLAlchemy and psycopg2 for the driver.

Its `settings.py` has `make_app()`, the Flask application, and `make_tables()`.
"""

import importlib
from typing import Any

from witness import Witness


class Host:
    """See `drive.Host`."""

    def __init__(self, application: str) -> None:
        self._settings = importlib.import_module(f"{application}.settings")
        self._app = self._settings.make_app()

    def make_tables(self) -> None:
        """As the application makes them."""
        with self._app.app_context():
            self._settings.make_tables()

    def fill(self, seed: Any, plan: Any) -> Any:
        """Call both within a request's context: applications ask for the user of the session."""
        with self._app.test_request_context():
            seed()
            return plan()

    def client(self) -> Any:
        """Werkzeug's test client, which calls the application without a network."""
        return self._app.test_client()

    def send(self, client: Any, request: dict[str, Any]) -> tuple[int, str | None]:
        """Send one request. `data` is a form's, `json` a document."""
        with client.open(
            request["path"], method=request.get("method", "get").upper(),
            data=request.get("data"), json=request.get("json"), headers=request.get("headers"),
        ) as response:  # fmt: skip
            response.get_data()
            return response.status_code, response.headers.get("location")

    def watch(self, witness: Witness) -> None:
        """SQLAlchemy tells of each statement before and after its cursor has executed it."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        events = _Events(witness)
        if witness.tagged:
            event.listen(Engine, "before_cursor_execute", events.tag, retval=True)
        event.listen(Engine, "before_cursor_execute", events.before)
        event.listen(Engine, "after_cursor_execute", events.after)


class _Events:
    """Listeners; what they are given is named in SQLAlchemy's documentation of these events."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def tag(self, _: Any, __: Any, sql: str, values: Any, *___: Any) -> Any:
        """Append the comment. SQLAlchemy always gives parameters, so per cent signs are always read."""
        return self._witness.with_comment(sql, escape=True), values

    def before(self, _: Any, cursor: Any, sql: str, values: Any, context: Any, many: Any) -> None:
        """See a statement as psycopg2 will send it."""
        if not many:
            text = cursor.mogrify(sql, values).decode()
            if cursor.name:
                text = f'DECLARE "{cursor.name}" CURSOR WITHOUT HOLD FOR {text}'
            self._witness.see(text, values)
        elif not context.isinsert:
            for one in values:
                self._witness.see(cursor.mogrify(sql, one).decode(), one)

    def after(self, _: Any, cursor: Any, __: str, values: Any, context: Any, many: Any) -> None:
        """See an INSERT of many rows, which SQLAlchemy sends as one statement of many VALUES."""
        if many and context.isinsert:
            self._witness.see(cursor.query.decode(), values)
