"""Literals of every kind that applications write into SQL, drawn at random and drawn fast.

Anything dear to render (times, texts, rows) is rendered once, into pools; a draw picks from a pool.
Whole numbers are rendered per draw, so that texts differ from each other as they do in life.
"""

from collections.abc import Callable
from random import Random

Draw = Callable[[], str]

POOL = 4096
IDS = 5_000_000
LIST_LENGTHS = (1, 1, 2, 3, 5, 8, 10, 10, 20, 50, 100)
ROW_COUNTS = (1, 1, 1, 1, 2, 5, 20)

# What breaks naive readers: quotes, separators, comment marks, other lines' beginnings, UTF-8.
TEXTS = (
    "pending", "paid", "shipped", "plain", "x", "foo bar", "O'Brien", "it's", "50%", "$1", "a\\b",
    "C:\\tmp", 'long text, with commas; and "quotes"', "-- no comment", "/* none */", "SELECT 1",
    "Zoë", "naïve", "東京", "😀 ok", "tab\there", "first line\nsecond line", "', $2 = '", "",
    "duration: 12.3 ms  statement: fake", "2026-01-05 00:00:00.000 UTC [1] a@b LOG:  no entry",
)  # fmt: skip


def quoted(text: str) -> str:
    """A standard SQL string; PostgreSQL writes parameters in DETAIL the same way."""
    return "'" + text.replace("'", "''") + "'"


class Literals:
    """Draws literals; `draws[kind]` is the function that draws one of a kind."""

    def __init__(self, rng: Random) -> None:
        """Fill the pools from `rng`, which later draws go on using."""
        self._rng = rng
        self._random = rng.random
        self.draws: dict[str, Draw] = {
            "int": self._whole,
            "small": lambda: str(int(self._random() * 50) * 25),
            "negative": lambda: f"-{self._whole()}",
            "bool": lambda: "TRUE" if self._random() < 0.5 else "FALSE",
            "ints": self._listed([self._whole() for _ in range(4 * POOL)], LIST_LENGTHS),
            "rows": self._listed([self._row() for _ in range(POOL)], ROW_COUNTS),
        }
        rendered: dict[str, Draw] = {
            "text": self._text,
            "money": lambda: f"{self._random() * 1000:.2f}",
            "float": lambda: f"{1 + self._random() * 9:.3f}e{self._below(9)}",
            "date": lambda: quoted(self._date()),
            "time": self._time,
            "uuid": self._uuid,
            "interval": lambda: f"'{1 + self._below(30)} days'",
            "escaped": lambda: f"E'it\\'s\\n{self._whole()}'",
            "dollar": lambda: f"$${self._whole()} isn't quoted$$",
            "json": lambda: f'\'{{"kind": "a{self._below(50)}", "n": {self._whole()}}}\'',
            "array": lambda: f"'{{{self._whole()},{self._whole()},{self._whole()}}}'",
            "bits": lambda: f"B'{self._below(256):08b}'",
            "bytes": lambda: f"'\\x{self._below(1 << 64):016x}'",
        }
        for kind, draw in rendered.items():
            self.draws[kind] = self._from_pool([draw() for _ in range(POOL)])

    def _below(self, limit: int) -> int:
        return int(self._random() * limit)

    def _whole(self) -> str:
        return str(int(self._random() * IDS) + 1)

    def _date(self) -> str:
        return f"2025-{1 + self._below(12):02d}-{1 + self._below(28):02d}"

    def _time(self) -> str:
        seconds = self._random() * 60
        return f"'{self._date()} {self._below(24):02d}:{self._below(60):02d}:{seconds:09.6f}+00'"

    def _uuid(self) -> str:
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"'{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}'"

    def _text(self) -> str:
        text = TEXTS[self._below(len(TEXTS))]
        return quoted(text + self._whole() if self._random() < 0.7 else text)

    def _row(self) -> str:
        return f"({self._whole()}, {self._text()}, {self._random() * 1000:.2f})"

    def _from_pool(self, pool: list[str]) -> Draw:
        random, size = self._random, len(pool)
        return lambda: pool[int(random() * size)]

    def _listed(self, pool: list[str], lengths: tuple[int, ...]) -> Draw:
        """Draws runs of the pool, as long as one of `lengths`, with commas between."""
        random = self._random
        room, choices = len(pool) - max(lengths), len(lengths)

        def draw() -> str:
            start = int(random() * room)
            return ", ".join(pool[start : start + lengths[int(random() * choices)]])

        return draw


def as_parameter(literal: str) -> str:
    """A literal as PostgreSQL shows the same value in `DETAIL: parameters`: always quoted."""
    if literal[0] == "'":
        return literal
    return {"TRUE": "'t'", "FALSE": "'f'"}.get(literal) or f"'{literal}'"
