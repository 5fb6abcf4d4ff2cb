"""Interning: every distinct text is kept once and spoken of by a small number."""


class Strings:
    """An append-only table of distinct texts; `add` gives a text's number, -1 stands for none."""

    __slots__ = ("_numbers", "texts")

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.texts: list[str] = []

    def add(self, text: str | None) -> int:
        """The number of `text`, new or known; -1 for None."""
        if text is None:
            return -1
        number = self._numbers.get(text)
        if number is None:
            number = len(self.texts)
            self._numbers[text] = number
            self.texts.append(text)
        return number

    def get(self, number: int) -> str | None:
        """The text of a number, None for -1."""
        return None if number < 0 else self.texts[number]

    def __len__(self) -> int:
        return len(self.texts)
