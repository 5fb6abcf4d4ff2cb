"""Which value of an execution a node of the syntax tree stands for."""

from bisect import bisect_left
from collections.abc import Sequence

from analyzer.sql import tree
from analyzer.sql.tokens import Token, Unbalanced, tokens
from analyzer.sql.tree import Node


class ParameterCoder:
    """Codes parameters and literals of one text as `Predicate.parameter` does.

    A literal's number is its place among the text's literals. Behind a list of literals, whose
    length differs from execution to execution, no place can be told (code 0).
    """

    def __init__(self, text: str, read: Sequence[Token] | None = None) -> None:
        """`read` are the text's tokens, where they have been read already."""
        self._text = text
        self._read = read
        self._starts: list[int] | None = None
        self._first_list = len(text.encode("utf-8", "surrogateescape"))

    def note_list(self, location: int) -> None:
        """A list of literals begins at this byte."""
        self._first_list = min(self._first_list, location)

    def code(self, node: Node) -> int:
        """Give n for `$n`, -(k + 1) for the k-th literal, 0 for anything else."""
        inner, _ = tree.without_casts(node)
        if inner.get("A_Const", {}).get("location", 0) > self._first_list:
            return 0
        return self.place(inner)

    def place(self, node: Node) -> int:
        """The same in this very text, whatever the length of its lists."""
        inner, _ = tree.without_casts(node)
        if "ParamRef" in inner:
            return int(inner["ParamRef"].get("number", 0))
        if "A_Const" not in inner or inner["A_Const"].get("isnull"):
            return 0
        location = inner["A_Const"].get("location", 0)
        starts = self._literal_starts()
        place = bisect_left(starts, location)  # a negative number begins at its sign
        return -(place + 1) if place < len(starts) else 0

    def behind(self, code: int) -> int:
        """How many values of its kind (bound, or literals) the text has behind the one with this code."""
        if code < 0:
            return len(self._literal_starts()) + code
        numbers = [int(token[1:]) for _, kind, token, _ in self._tokens() if kind == "parameter"]
        return max(numbers, default=code) - code

    def _tokens(self) -> Sequence[Token]:
        """The text's tokens; none where it cannot be split."""
        if self._read is None:
            try:
                self._read = list(tokens(self._text))
            except Unbalanced:
                self._read = []
        return self._read

    def _literal_starts(self) -> list[int]:
        """Byte offsets of the text's literals, as libpg_query counts them."""
        if self._starts is None:
            starts = [
                start
                for _, kind, _, start in self._tokens()
                if kind not in ("parameter", "comment", "kept", "end")
            ]
            if not self._text.isascii():
                starts = [len(self._text[:at].encode("utf-8", "surrogateescape")) for at in starts]
            self._starts = starts
        return self._starts
