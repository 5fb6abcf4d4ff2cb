"""A terminal to write into: columns and colours as told, nothing read as markup."""

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType

_NARROWEST = 40


def terminal(width: int, *, colour: bool) -> Console:
    """A console that keeps what is printed; at least 40 columns wide.

    `colour` adds ANSI colours; whether the terminal wants them is for the caller to know.
    """
    return Console(
        file=io.StringIO(),
        width=max(width, _NARROWEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        force_jupyter=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def written(console: Console) -> str:
    """What was printed to a `terminal`, without trailing white space."""
    output = console.file
    text = output.getvalue() if isinstance(output, io.StringIO) else ""
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n") + "\n"


def to_text(parts: Sequence[RenderableType], width: int, *, colour: bool) -> str:
    """Renderables as lines of at most `width` columns."""
    console = terminal(width, colour=colour)
    console.print(Group(*parts))
    return written(console)
