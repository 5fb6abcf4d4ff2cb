r"""What a container wrote, out of its runtime's log: Kubernetes' CRI format and Docker's json-file.

    2026-11-22T08:00:00.123456789Z stderr F 2026-11-22 08:00:00.123 UTC [77] LOG:  …
    {"log":"2026-11-22 08:00:00.123 UTC [77] LOG:  …\n","stream":"stderr","time":"…"}

`kubectl logs --timestamps`, `docker logs -t` and CloudWatch's export to S3 leave out stream and
tag. The container's lines can be any of PostgreSQL's formats, or wrapped again (CloudNativePG):
what they are is told from the first of them.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, cast

from analyzer.patterns import regex
from analyzer.sources.logs.csvlog import RECORD_START
from analyzer.sources.logs.framing import Block, blocks
from analyzer.sources.logs.unwrapping._base import Account, Inner, Unwrapper
from analyzer.sources.logs.unwrapping._json import JsonUnwrapper
from analyzer.sources.logs.unwrapping._texts import encoded

_HEAD_BYTES = 1 << 16
_LINE = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}(?:Z|[+-]\d\d:\d\d) "
_TAGGED = rb"(?:(?:stdout|stderr) ([FP])(?::[\w:]{1,64})? )?"
CRI_LINE = regex(_LINE + _TAGGED)
_RECORDS = regex(rb"(" + _LINE + _TAGGED + rb"([^\n]*)|[^\n]*)\n")
_JSON_ENTRY = regex(rb'\{"timestamp":"[^"\n]{10,60}",.{0,400}?"error_severity":"')


class _Pieces:
    """An iterator of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._pending = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, b"" at the end."""
        while not self._pending:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._pending = memoryview(piece)
        chunk, self._pending = self._pending[:size], self._pending[size:]
        return bytes(chunk)


def _inner_format(head: bytes) -> Inner:
    """Which of PostgreSQL's own formats some lines are in."""
    for line in head.splitlines()[:50]:
        if RECORD_START.match(line):
            return "csvlog"
        if _JSON_ENTRY.match(line):
            return "jsonlog"
    return "stderr"


class _Lines(Unwrapper):
    """The container's own bytes from a CRI log."""

    name = "cri"
    title = "Kubernetes container log"

    def _unwrapped(self) -> Iterator[bytes]:
        lines = 0
        for block in blocks(self.small_reads(), tabs=False):
            if block.cut:
                self.account.unparsed(block.data[:-1], lines + 1, block.offset, block.length)
                self.account.remark("a record was too long to be read")
            else:
                yield self._block(block, lines)
            lines += block.data.count(b"\n")

    def _block(self, block: Block, lines: int) -> bytes:
        out = []
        offset = block.offset
        for position, (line, tag, text) in enumerate(_RECORDS.findall(block.data)):
            size = min(len(line) + 1, block.offset + block.length - offset)
            if text or tag or CRI_LINE.match(line):
                out.append(text if tag == b"P" else text + b"\n")
            elif line[:1] == b"\t":  # some leave the stamp to an event's first line
                out.append(line + b"\n")
            else:
                self.account.unparsed(line, lines + position + 1, offset, size)
            offset += size
        return b"".join(out)


class _Objects(JsonUnwrapper):
    """The container's own bytes from Docker's json-file."""

    name = "docker"
    title = "Docker's json-file"

    def _begin(self) -> None:
        self._out: list[bytes] = []

    def _take(self, value: dict[str, object]) -> bool | None:
        text = value.get("log")
        if not isinstance(text, str):
            return False
        self._out.append(encoded(text))
        return True

    def _given(self, *, last: bool) -> bytes:  # noqa: ARG002  # nothing is kept back
        given = b"".join(self._out)
        self._out.clear()
        return given


class _ContainerUnwrapper(Unwrapper):
    """Unwraps a runtime's log, and what the container wrote if that is wrapped itself."""

    _runtime: type[Unwrapper]

    def __init__(
        self,
        raw: BinaryIO,
        *,
        timezone: str | None = None,
        now: datetime | None = None,
        account: Account | None = None,
    ) -> None:
        """As Unwrapper; reads the first bytes at once, to know what the container wrote."""
        super().__init__(raw, timezone=timezone, now=now, account=account)
        outer = self._runtime(raw, timezone=timezone, now=now, account=self.account)
        head = outer.peek(_HEAD_BYTES)
        # Here, or the modules would need each other to be loaded.
        from analyzer.sources.logs.unwrapping import UNWRAPPERS, recognise_wrapping  # noqa: PLC0415

        wrapped = recognise_wrapping(head)
        if wrapped is None or wrapped[0] == self.name:
            self._content: Unwrapper = outer
            self.inner = _inner_format(head)
        else:
            stream = cast("BinaryIO", _Pieces(iter(lambda: outer.read(1 << 20), b"")))
            kind = UNWRAPPERS[wrapped[0]]
            self._content = kind(stream, timezone=timezone, now=now, account=self.account)
            self.inner = self._content.inner

    def _unwrapped(self) -> Iterator[bytes]:
        while chunk := self._content.read(1 << 20):
            yield chunk


class CriUnwrapper(_ContainerUnwrapper):
    """Unwraps a container's log as Kubernetes keeps it on its nodes."""

    name = "cri"
    title = "Kubernetes container log"
    _runtime = _Lines


class DockerUnwrapper(_ContainerUnwrapper):
    """Unwraps a container's log as Docker's json-file driver keeps it."""

    name = "docker"
    title = "Docker's json-file"
    _runtime = _Objects
