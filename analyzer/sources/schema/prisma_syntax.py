"""The syntax of schema.prisma: a tokenizer and a tree that keeps where everything stands.

The tree says what is written, not what it means (prisma.py does); every part has its offsets in
the text, so that a change can be a patch of it. The grammar is that of Prisma's own parser
(prisma-engines, psl/schema-ast/src/parser/datamodel.pest).
"""

import re
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

from analyzer.errors import InputError
from analyzer.patterns import regex
from analyzer.records import record

_MAX_DEPTH = 32

_TOKEN = regex(
    r"""
    (?P<space>[ \t\r\f\v\u00a0\ufeff]+)
  | (?P<newline>\n)
  | (?P<comment>//[^\n]*|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*/)
  | (?P<string>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*")
  | (?P<number>-?\d++(?:\.\d++)?)
  | (?P<word>\w[\w-]*+)
  | (?P<mark>@@|[{}()\[\]:,=@?.])
    """,
    re.VERBOSE,
)
_ESCAPE = regex(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@record
class Span:
    """Offsets in characters, end exclusive, and the 1-based line of the start."""

    start: int
    end: int
    line: int


@record
class Text:
    """A string literal, unescaped."""

    value: str
    span: Span


@record
class Number:
    """A number, as written."""

    value: str
    span: Span


@record
class Word:
    """A name, dotted where it is a path."""

    value: str
    span: Span


@record
class Array:
    """Values in brackets."""

    items: tuple["Value", ...]
    span: Span


@record
class Call:
    """`name(arguments)`, also as a field with options: `title(sort: Desc)`."""

    name: str
    arguments: tuple["Argument", ...]
    span: Span


@record
class Record:
    """`{ name: value }`, the condition of a partial index."""

    entries: tuple[tuple[str, "Value"], ...]
    span: Span


Value: TypeAlias = Text | Number | Word | Array | Call | Record


@record
class Argument:
    """A value, with its name where it has one."""

    name: str | None
    value: Value


@record
class Attribute:
    """`@name(arguments)`, or `@@name(arguments)` of a block; the name without the signs."""

    name: str
    arguments: tuple[Argument, ...]
    span: Span

    def argument(self, *names: str) -> Value | None:
        """The value of the first of these names; "" stands for an argument without name."""
        for name in names:
            for argument in self.arguments:
                if argument.name == (name or None):
                    return argument.value
        return None


@record
class Field:
    """`name Type? @attributes`; `unsupported` is the type in `Unsupported("…")`."""

    name: str
    type: str
    unsupported: str | None
    optional: bool
    many: bool
    attributes: tuple[Attribute, ...]
    span: Span

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, if there is one."""
        return next((found for found in self.attributes if found.name == name), None)


@record
class Property:
    """`name = value` of a datasource or generator."""

    name: str
    value: Value | None
    span: Span


@record
class Block:
    """`kind name { … }`. An enum's values are fields without a type ("")."""

    kind: str
    name: str
    fields: tuple[Field, ...]
    attributes: tuple[Attribute, ...]
    properties: tuple[Property, ...]
    span: Span

    def attribute(self, name: str) -> Attribute | None:
        """The block's first attribute of that name, if there is one."""
        return next((found for found in self.attributes if found.name == name), None)

    def field(self, name: str) -> Field | None:
        """The field of that name, if there is one."""
        return next((found for found in self.fields if found.name == name), None)


@record
class _Token:
    kind: str
    text: str
    start: int
    line: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def shown(self) -> str:
        return {"newline": "the end of the line", "end": "the end of the file"}.get(
            self.kind, self.text
        )


def parse(text: str, origin: str) -> tuple[Block, ...]:
    """Read the blocks of a schema.prisma.

    Raises:
        InputError: the syntax is broken; the message has the line and what was expected.
    """
    return tuple(_Parser(text, origin).blocks())


def _tokens(text: str, origin: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            rest = text[position : position + 20].split("\n", maxsplit=1)[0]
            raise InputError(f"{origin}:{line}: this is no Prisma schema: unexpected {rest!r}.")
        kind, token = found.lastgroup or "", found.group()
        if kind not in ("space", "comment"):
            yield _Token(kind, token, position, line)
        line += token.count("\n")
        position = found.end()
    yield _Token("end", "", position, line)


class _Parser:
    """A recursive descent over the tokens, one of look-ahead, its depth bounded."""

    def __init__(self, text: str, origin: str) -> None:
        self._origin = origin
        self._tokens = _tokens(text, origin)
        self._next = next(self._tokens)
        self._end = 0  # of the token taken last
        self._depth = 0

    def blocks(self) -> Iterator[Block]:
        self._skip_newlines()
        while self._next.kind != "end":
            yield self._block()
            self._skip_newlines()

    def _block(self) -> Block:
        kind = self._take("word", "a block (model, enum, datasource, generator …)")
        name = self._take("word", f"the name of the {kind.text}")
        self._mark("{")
        fields: list[Field] = []
        attributes: list[Attribute] = []
        properties: list[Property] = []
        self._skip_newlines()
        while not self._accept("}"):
            if self._next.text == "@@":
                attributes.append(self._attribute())
            elif kind.text in ("datasource", "generator"):
                properties.append(self._property())
            else:
                fields.append(self._field(typed=kind.text != "enum"))
            self._end_of_member()
        span = self._span(kind)
        return Block(
            kind.text, name.text, tuple(fields), tuple(attributes), tuple(properties), span
        )

    def _end_of_member(self) -> None:
        if self._next.text != "}":
            self._take("newline", "a new line")
        self._skip_newlines()

    def _property(self) -> Property:
        name = self._take("word", "a setting or }")
        self._mark("=")
        value = None if self._next.kind == "newline" else self._value()
        return Property(name.text, value, self._span(name))

    def _field(self, *, typed: bool) -> Field:
        name = self._take("word", "a field, @@attribute or }")
        type_name, unsupported, optional, many = "", None, False, False
        if typed:
            self._accept(":")  # Prisma 1 wrote one
            type_name = self._path(f"the type of {name.text}").value
            if type_name == "Unsupported":
                self._mark("(")
                unsupported = _unescaped(self._take("string", "the type in quotes").text)
                self._mark(")")
            if self._accept("["):
                self._mark("]")
                many = True
            optional = self._accept("?")
        attributes: list[Attribute] = []
        while self._next.text == "@":
            attributes.append(self._attribute())
        return Field(
            name.text, type_name, unsupported, optional, many, tuple(attributes), self._span(name)
        )

    def _attribute(self) -> Attribute:
        start = self._take("mark", "an attribute")
        name = self._path("the attribute's name").value
        arguments = self._arguments() if self._next.text == "(" else ()
        return Attribute(name, arguments, self._span(start))

    def _arguments(self) -> tuple[Argument, ...]:
        self._mark("(")
        arguments: list[Argument] = []
        self._skip_newlines()
        while not self._accept(")"):
            arguments.append(self._argument())
            self._separator(")")
        return tuple(arguments)

    def _argument(self) -> Argument:
        value = self._value()
        if isinstance(value, Word) and self._accept(":"):
            self._skip_newlines()
            return Argument(value.value, self._value())
        return Argument(None, value)

    def _separator(self, closing: str) -> None:
        self._skip_newlines()
        if self._next.text != closing:
            self._mark(",")
            self._skip_newlines()

    def _value(self) -> Value:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self._fail("at most 32 brackets within each other", self._next)
        start = self._next
        value: Value
        if start.kind == "string":
            self._advance()
            value = Text(_unescaped(start.text), self._span(start))
        elif start.kind == "number":
            self._advance()
            value = Number(start.text, self._span(start))
        elif start.text == "[":
            value = self._array()
        elif start.text == "{":
            value = self._record()
        else:
            value = self._path("a value")
            if self._next.text == "(":
                value = Call(value.value, self._arguments(), self._span(start))
        self._depth -= 1
        return value

    def _array(self) -> Array:
        start = self._take("mark", "[")
        items: list[Value] = []
        self._skip_newlines()
        while not self._accept("]"):
            items.append(self._value())
            self._separator("]")
        return Array(tuple(items), self._span(start))

    def _record(self) -> Record:
        start = self._take("mark", "{")
        entries: list[tuple[str, Value]] = []
        self._skip_newlines()
        while not self._accept("}"):
            name = self._take("word", "a field of the condition")
            self._mark(":")
            self._skip_newlines()
            entries.append((name.text, self._value()))
            self._separator("}")
        return Record(tuple(entries), self._span(start))

    def _path(self, what: str) -> Word:
        start = self._take("word", what)
        parts = [start.text]
        while self._accept("."):
            parts.append(self._take("word", what).text)
        return Word(".".join(parts), self._span(start))

    def _skip_newlines(self) -> None:
        while self._next.kind == "newline":
            self._advance()

    def _accept(self, mark: str) -> bool:
        found = self._next.kind == "mark" and self._next.text == mark
        if found:
            self._advance()
        return found

    def _mark(self, mark: str) -> None:
        if not self._accept(mark):
            self._fail(mark, self._next)

    def _take(self, kind: str, what: str) -> _Token:
        token = self._next
        if token.kind != kind:
            self._fail(what, token)
        self._advance()
        return token

    def _advance(self) -> None:
        self._end = self._next.end
        if self._next.kind != "end":
            self._next = next(self._tokens)

    def _span(self, start: _Token) -> Span:
        return Span(start.start, self._end, start.line)

    def _fail(self, expected: str, token: _Token) -> NoReturn:
        raise InputError(
            f"{self._origin}:{token.line}: expected {expected}, found {token.shown}. "
            "`npx prisma validate` checks a schema."
        )


def _unescaped(literal: str) -> str:
    def character(found: "re.Match[str]") -> str:
        if found.group(1):
            return chr(int(found.group(1), 16))
        return _ESCAPED.get(found.group(2), found.group(2))

    unescaped = _ESCAPE.sub(character, literal[1:-1])
    # \u escapes may be halves of a pair, or one half alone.
    return unescaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
