"""Real receivers of alerts on this machine: a webhook, and an SMTP server."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

_Server = TypeVar("_Server", bound=socketserver.BaseServer)


class Hook(ThreadingHTTPServer):
    """A webhook that keeps what it got; it answers with `answers`, one after the other, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HookHandler)
        self.got: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/T0/secret"


class _HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))
        self.server.paths.append(self.path)
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()
        self.wfile.write(b"said so")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Post(socketserver.ThreadingTCPServer):
    """An SMTP server (RFC 5321, no TLS) that keeps letters; it refuses `refusals` of them first."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _PostHandler)
        self.letters: list[bytes] = []
        self.recipients: list[str] = []
        self.refusals = 0


class _PostHandler(socketserver.StreamRequestHandler):
    server: Post

    def handle(self) -> None:
        self._say("220 test")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "DATA":
                self._data()
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                if verb == "RCPT":
                    self.server.recipients.append(line.partition(":")[2].strip())
                self._say("250 ok" if verb in ("EHLO", "HELO", "MAIL", "RCPT") else "502 no")

    def _data(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        if self.server.refusals:
            self.server.refusals -= 1
            self._say("451 later")
        else:
            self.server.letters.append(b"".join(lines))
            self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def serving(server: _Server) -> Iterator[_Server]:
    """The server, answering until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
