"""Changed and new files as one unified diff, which `git apply` and `patch -p1` take."""

import difflib
from collections.abc import Iterator, Mapping

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NO_NEWLINE = "\\ No newline at end of file\n"


def unified(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The diff from `before` to `after`, files by path in order; one that is only in `after` is new.

    Paths are relative to where the diff is to be applied, with `/` between their parts.
    """
    return "".join(
        "".join(_file(path, before.get(path), text))
        for path, text in sorted(after.items())
        if before.get(path) != text
    )


def _file(path: str, old: str | None, new: str) -> Iterator[str]:
    a, b = _shown(f"a/{path}"), _shown(f"b/{path}")
    yield f"diff --git {a} {b}\n"
    if old is None:
        yield "new file mode 100644\n"
    tail = "\t" if " " in path else ""  # or `patch` ends the name there
    lines = difflib.unified_diff(
        _lines(old or ""),
        _lines(new),
        "/dev/null" if old is None else a + tail,
        b + tail,
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}"


def _lines(text: str) -> list[str]:
    """The lines with their ends; only a line feed ends one, as for git."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + (
        [last] if (last := text.rpartition("\n")[2]) else []
    )


def _shown(path: str) -> str:
    """A path as git writes it: quoted where it has a quote, a backslash or a control character."""
    plain = all(character not in _ESCAPES and character >= " " for character in path)
    if plain:
        return path
    return '"' + "".join(_ESCAPES.get(c, c if c >= " " else f"\\{ord(c):03o}") for c in path) + '"'
