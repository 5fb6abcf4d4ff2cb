"""Prisma's own parser, in this process: the WebAssembly that a project's node_modules have.

It is the part of Prisma that `prisma validate` and `prisma format` ask
(node_modules/prisma/build/prisma_schema_build_bg.wasm), run by wasmtime (extra `pg95[prisma]`). Its interface is that of
wasm-bindgen and documented nowhere, so what is not as known from Prisma 7.10 is an error that says so, never a guess.
The module sees memory of its own and the four functions below; it can open no file and no connection.
"""

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analyzer.errors import AnalyzerError, InputError

PLACE = "node_modules/prisma/build/prisma_schema_build_bg.wasm"
_SECONDS = 60.0
_MOST_BYTES = 2**30
_ROOM = 4  # externrefs that wasm-bindgen keeps for undefined, null, true and false


class PrismaParserError(AnalyzerError):
    """Prisma's parser cannot be asked: another interface, or it took too long."""


def find_parser(start: Path) -> Path | None:
    """The parser in the node_modules of a folder or of one above it, None where there is none."""
    for folder in (start, *start.parents):
        if (folder / PLACE).is_file():
            return folder / PLACE
    return None


def prisma_version(parser: Path) -> str | None:
    """The version of the package that a parser is part of."""
    try:
        told = json.loads((parser.parents[1] / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(told["version"]) if isinstance(told, dict) and "version" in told else None


class PrismaParser:
    """The parser, loaded; compiling it takes seconds the first time, and is kept by wasmtime afterwards.

    Raises:
        ImportError: wasmtime is not installed.
        PrismaParserError: the file is no such parser.
    """

    def __init__(self, path: Path) -> None:
        import wasmtime  # noqa: PLC0415 - an extra, and only who asks for it pays for it

        self._said: str | None = None
        config = wasmtime.Config()
        config.cache = True
        config.epoch_interruption = True
        self._traps = (wasmtime.WasmtimeError, wasmtime.Trap)
        try:
            self._engine = wasmtime.Engine(config)
            module = wasmtime.Module.from_file(self._engine, str(path))
            self._store = wasmtime.Store(self._engine)
            self._store.set_limits(memory_size=_MOST_BYTES)
            self._store.set_epoch_deadline(1)
            linker = wasmtime.Linker(self._engine)
            for one in module.imports:
                name, kind = one.name or "", one.type
                if not isinstance(kind, wasmtime.FuncType):
                    raise PrismaParserError(f"{path}: asks for {name}, which is no function")
                made = wasmtime.Func(self._store, kind, self._import(name))
                linker.define(self._store, one.module, name, made)
            exports: Any = linker.instantiate(self._store, module).exports(self._store)
            self._exports = exports
            exports["__wbindgen_start"](self._store)
        except (*self._traps, KeyError) as error:
            raise PrismaParserError(
                f"{path}: not the parser of a Prisma that pg95 knows: {error}"
            ) from error

    def problems(self, files: Mapping[str, str]) -> str | None:
        """What `prisma validate` says of a schema, None where it is valid."""
        try:
            self._call(
                "validate", json.dumps({"prismaSchema": list(files.items()), "noColor": True})
            )
        except InputError as error:
            return str(error)
        return None

    def datamodel(self, files: Mapping[str, str]) -> dict[str, Any]:
        """The models and enums of a schema as Prisma reads them (the datamodel of its DMMF).

        Raises:
            InputError: the schema is not valid.
        """
        text = self._call(
            "get_datamodel", json.dumps({"prismaSchema": list(files.items()), "noColor": True})
        )
        return dict(json.loads(text))

    def formatted(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files as `prisma format` writes them."""
        options = {
            "textDocument": {"uri": "file:/schema"},
            "options": {"tabSize": 2, "insertSpaces": True},
        }
        return dict(
            json.loads(self._call("format", json.dumps(list(files.items())), json.dumps(options)))
        )

    def _import(self, name: str) -> Callable[..., str | None]:
        """What the module asks of its surroundings: to be told of errors, and room for references."""

        def grow() -> None:
            self._exports["__wbindgen_externrefs"].grow(self._store, _ROOM, None)

        def tell(start: int, length: int) -> str | None:
            self._said = self._text(start, length)
            return self._said if "_Error_" in name else None

        def throw(start: int, length: int) -> None:
            raise PrismaParserError(self._text(start, length))

        if "init_externref_table" in name:
            return grow
        if "throw" in name:
            return throw
        if "_Error_" in name or "set_message" in name:
            return tell
        raise PrismaParserError(f"Prisma's parser asks for {name}, which pg95 does not know")

    def _text(self, start: int, length: int) -> str:
        start, length = start & 0xFFFFFFFF, length & 0xFFFFFFFF
        memory = self._exports["memory"]
        return bytes(memory.read(self._store, start, start + length)).decode("utf-8", "replace")

    def _call(self, function: str, *texts: str) -> str:
        """Call an exported function with texts; it gives a text, or throws what is wrong with the schema."""
        self._said = None
        self._store.set_epoch_deadline(1)
        timer = threading.Timer(_SECONDS, self._engine.increment_epoch)
        timer.daemon = True
        timer.start()
        try:
            given: list[int] = []
            for text in texts:
                data = text.encode("utf-8", "replace")
                start = self._exports["__wbindgen_malloc"](self._store, len(data), 1)
                self._exports["memory"].write(self._store, data, start & 0xFFFFFFFF)
                given += [start, len(data)]
            found = self._exports[function](self._store, *given)
        except (*self._traps, KeyError) as error:
            raise PrismaParserError(f"Prisma's parser failed at {function}: {error}") from error
        finally:
            timer.cancel()
        values = list(found) if isinstance(found, list | tuple) else []
        if self._said is not None:
            raise InputError(self._readable(self._said))
        return self._text(values[0], values[1]) if len(values) > 1 else ""

    def _readable(self, said: str) -> str:
        """The message of an error, which Prisma's tools wrap in JSON."""
        try:
            told = json.loads(said)
        except ValueError:
            return said
        return str(told.get("message", said)) if isinstance(told, dict) else said
