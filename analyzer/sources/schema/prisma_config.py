"""prisma.config.ts: where a project's schema and migrations are, read without running it.

It is a program, so only what stands there as plain text is taken: the exported object (also in `defineConfig(…)`, or a
constant that is exported), strings, and `path.join` or `path.resolve` of strings, `__dirname` and
`import.meta.dirname`. All else is *computed*: that is said, and never guessed. Places are relative to the file.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from analyzer.errors import InputError
from analyzer.patterns import regex
from analyzer.records import record

_ENDINGS = (".ts", ".js", ".mjs", ".cjs", ".mts", ".cts")
_NAMES = (
    *(f"prisma.config{one}" for one in _ENDINGS),
    *(f".config/prisma{one}" for one in _ENDINGS),
)
_LARGEST_BYTES = 1 << 20
_MOST_ABOVE = 5  # folders that are looked at
_TOKEN = regex(
    r"""(?P<skip>\s++|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z))
    |(?P<text>'(?:[^'\\\n]|\\.)*+(?:'|(?=\n)|\\?\Z)|"(?:[^"\\\n]|\\.)*+(?:"|(?=\n)|\\?\Z)|`(?:[^`\\]|\\.)*+(?:`|\\?\Z))
    |(?P<word>[A-Za-z_$][\w$]*+)
    |(?P<dots>\.\.\.)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_PREFIXES = ("get", "set", "async")
_OPEN, _CLOSE = "([{", ")]}"
_JOINS = (("path", ".", "join"), ("path", ".", "resolve"), ("join",), ("resolve",))
_HERE = (("__dirname",), ("import", ".", "meta", ".", "dirname"))
_ESCAPE = regex(r"\\(.)", re.DOTALL)


@record
class _Token:
    kind: str
    text: str
    line: int


@record
class PrismaConfig:
    """What a configuration says. A place is None where it is not told.

    `computed` has, for "schema" and "migrations", the line where it is computed.
    """

    path: Path
    schema: Path | None
    migrations: Path | None
    computed: Mapping[str, int]

    def why_not(self, what: str) -> str:
        """A sentence that says that a place is computed, with its line."""
        return (
            f"{self.path}, line {self.computed[what]}: the place of the {what} is computed there, and pg95 runs no "
            "configuration"
        )


def find_config(folder: Path) -> PrismaConfig | None:
    """The configuration of a project's folder, None without one.

    Raises:
        InputError: it cannot be read.
    """
    for name in _NAMES:
        path = folder / name
        if path.is_file():
            return read_config(path)
    return None


def config_above(place: Path) -> PrismaConfig | None:
    """The configuration of the project that a schema is in: of its folder, or of the nearest one above.

    The search ends where a package.json or .git says that the project does.
    """
    absolute = place.absolute()
    folders = (absolute, *absolute.parents) if absolute.is_dir() else tuple(absolute.parents)
    for folder in folders[:_MOST_ABOVE]:
        found = find_config(folder)
        if found is not None or (folder / "package.json").exists() or (folder / ".git").exists():
            return found
    return None


def read_config(path: Path) -> PrismaConfig:
    """What a prisma.config.ts says.

    Raises:
        InputError: it cannot be read, or is too large to be one.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{path}: larger than 1 MB, which no configuration of Prisma is.")
        tokens = _tokens(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    start = _exported(tokens)
    if start is None:
        line = next((one.line for one in tokens if one.text in ("export", "module")), 1)
        return PrismaConfig(path, None, None, {"schema": line, "migrations": line})
    found, computed = _places(path, tokens, start)
    return PrismaConfig(path, found.get("schema"), found.get("migrations"), computed)


def _places(
    path: Path, tokens: Sequence[_Token], start: int
) -> tuple[dict[str, Path], dict[str, int]]:
    found: dict[str, Path] = {}
    computed: dict[str, int] = {}
    entries, unclear = _entries(tokens, start)
    values = {name: entries[name] for name in ("schema", "migrations") if name in entries}
    if "migrations" in values and values["migrations"][0].text == "{":
        inner, within = _entries(values.pop("migrations"), 0)
        if "path" in inner:
            values["migrations"] = inner["path"]
        elif within is not None:
            computed["migrations"] = within
    for name, value in values.items():
        place = _place(value)
        if place is None:
            computed[name] = value[0].line
        else:
            found[name] = path.parent / place
    if unclear is not None:  # what is spread into the object may hold them as well
        computed |= {
            one: unclear for one in ("schema", "migrations") if one not in {**found, **computed}
        }
    return found, computed


def _tokens(text: str) -> list[_Token]:
    found, line = [], 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "skip":
            found.append(_Token(kind, match[0], line))
        line += match[0].count("\n")
    return found


def _exported(tokens: Sequence[_Token]) -> int | None:
    """Where the exported object opens, None where that is no object in the file."""
    texts = [one.text for one in tokens]
    for words in (["export", "default"], ["module", ".", "exports", "="]):
        for place in range(len(texts) - len(words)):
            if texts[place : place + len(words)] == words:
                return _object_at(tokens, texts, place + len(words))
    return None


def _object_at(tokens: Sequence[_Token], texts: list[str], place: int) -> int | None:
    rest = texts[place : place + 2]
    if rest[:1] == ["{"]:
        return place
    if rest == ["defineConfig", "("]:
        return (
            _object_at(tokens, texts, place + 2) if texts[place + 2 : place + 3] == ["{"] else None
        )
    if not rest or tokens[place].kind != "word" or rest[1:] in (["("], ["."]):
        return None
    for number in range(len(texts) - 1):  # const name = …, or const name: Type = …
        if texts[number] == "const" and texts[number + 1] == rest[0]:
            equals = next((n for n in range(number + 2, len(texts)) if texts[n] == "="), None)
            if equals is not None and texts[equals + 1 : equals + 2] != [rest[0]]:
                return _object_at(tokens, texts, equals + 1)
    return None


def _entries(tokens: Sequence[_Token], start: int) -> tuple[dict[str, list[_Token]], int | None]:
    """An object's values by key, as tokens; and the line of what may hold more keys, None without."""
    found: dict[str, list[_Token]] = {}
    unclear = None
    for piece in _pieces(tokens, start):
        key = _ESCAPE.sub(r"\1", piece[0].text[1:-1]) if piece[0].kind == "text" else piece[0].text
        if piece[0].kind in ("word", "text") and len(piece) > 2 and piece[1].text == ":":  # noqa: PLR2004 - key, colon, value
            found[key] = piece[2:]
        elif piece[0].kind == "word" and len(piece) == 1:
            found[key] = piece  # a shorthand: a name is a value that is computed
        elif piece[0].kind == "dots" or piece[0].text == "[":
            unclear = piece[0].line
            found.clear()  # what comes later wins, and that may be anything
        else:  # a method, or a getter
            named = piece[1].text if key in _PREFIXES and len(piece) > 1 else key
            found[named] = piece
    return found, unclear


def _pieces(tokens: Sequence[_Token], start: int) -> list[list[_Token]]:
    """What stands between the commas of the bracket that opens at `start`."""
    pieces: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens[start:]:
        opens, closes = token.text in _OPEN, token.text in _CLOSE
        if token.kind == "sign" and closes:
            depth -= 1
            if depth == 0:
                break
        if token.kind == "sign" and token.text == "," and depth == 1:
            pieces.append([])
        elif depth:
            pieces[-1].append(token)
        if token.kind == "sign" and opens:
            depth += 1
    return [piece for piece in pieces if piece]


def _place(value: Sequence[_Token]) -> str | None:
    """The path that a value is, None of one that is computed."""
    if len(value) == 1:
        return _text(value[0])
    words = tuple(one.text for one in value)
    if words[-1:] != (")",) or "(" not in words:
        return None
    opens = words.index("(")
    if words[:opens] not in _JOINS:
        return None
    parts: list[str] = []
    for number, piece in enumerate(_pieces(value, opens)):
        if number == 0 and tuple(one.text for one in piece) in _HERE:
            continue
        text = _text(piece[0]) if len(piece) == 1 else None
        if text is None:
            return None
        parts.append(text)
    return str(Path(*parts)) if parts else None


def _text(token: _Token) -> str | None:
    ends = len(token.text) > 1 and token.text[-1] == token.text[0]
    if token.kind != "text" or not ends or "${" in token.text:
        return None
    return _ESCAPE.sub(r"\1", token.text[1:-1])
