"""A terminal to write into: columns and colours as told, nothing read as markup.

Views neutralise what they show, so that it has the width that it was given. What one of them lets
through has no power all the same: only colours are left as sequences.
"""

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType

from analyzer.patterns import regex
from analyzer.report.formats import neutralise

_NARROWEST = 40
_COLOUR = regex(r"(\x1b\[[\d;]*m)")


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
    if console.color_system is None:
        text = neutralise(text)
    else:  # every second piece is a sequence
        pieces = _COLOUR.split(text)
        pieces[::2] = map(neutralise, pieces[::2])
        text = "".join(pieces)
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n") + "\n"


def to_text(parts: Sequence[RenderableType], width: int, *, colour: bool) -> str:
    """Renderables as lines of at most `width` columns."""
    console = terminal(width, colour=colour)
    console.print(Group(*parts))
    return written(console)
