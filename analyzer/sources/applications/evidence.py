"""What speaks for a log of text being of a format: lines that look like the format's own.

Code and prose quote such lines: in a comment, in backquotes, below a heading of Markdown.
"""

from collections.abc import Callable

from analyzer.patterns import regex

# What code and prose have before a line that they quote; a number may follow a `#` in a build's output.
_QUOTING = regex(rb"\s*(?:--\s|//|#\s|/\*|\*\s|<!--)|[^\n]*`\Z")
# A heading, a fence, a directive. Ruby's logger begins a file with what looks like a heading.
_MARKUP = regex(rb" {0,3}(?:#{1,6} (?!Logfile created )|```|~~~|\.\. [\w-]{1,40}::)")
_OUTNUMBERED = 2


def is_quoted(prefix: bytes) -> bool:
    """Whether what stands before a message in its line shows that it is quoted."""
    return _QUOTING.match(prefix) is not None


def seen(lines: list[bytes], is_own: Callable[[bytes], bool]) -> int:
    """How many lines are a format's own; 0 where they are examples in a text with markup.

    Statements hold markup, too: it counts where it begins before the first such line, and where
    there is about as much of it.
    """
    own = [is_own(line) for line in lines]
    count = sum(own)
    if count and any(map(_MARKUP.match, lines[: own.index(True)])):
        markup = sum(_MARKUP.match(line) is not None for line in lines)
        return count if count > markup * _OUTNUMBERED else 0
    return count
