"""Guessing relations from names, for when no foreign keys are known."""

from collections.abc import Iterable
from functools import lru_cache

from analyzer.patterns import regex

_WORDS = regex(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")
_REMEMBERED = 50_000  # the same few names are compared again and again
_KEY_WORDS = ("id", "uuid", "guid", "pk", "key", "oid")
_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "mice": "mouse",
    "feet": "foot",
    "teeth": "tooth",
    "data": "datum",
    "media": "medium",
    "criteria": "criterion",
    "indices": "index",
    "matrices": "matrix",
    "vertices": "vertex",
    "quizzes": "quiz",
    "menus": "menu",
    "axes": "axis",
}
_SHORTEST = 3  # letters that a stem keeps


@lru_cache(maxsize=_REMEMBERED)
def words(name: str) -> tuple[str, ...]:
    """Split a name: `author_id`, `authorId`, `AuthorID` → ("author", "id"), without its schema."""
    return tuple(word.lower() for word in _WORDS.findall(name.rpartition(".")[2]))


@lru_cache(maxsize=_REMEMBERED)
def stem(word: str) -> str:
    """What singular and plural of an English noun have in common, well enough for names of tables.

    Not always a word: movie and movies give "movi", shelf and shelves "shelv", status and statuses
    "status".
    """
    word = _IRREGULAR.get(word, word)
    if word.endswith("sis"):  # analysis, whose plural is analyses
        word = word[:-3] + "se"
    if word.endswith("s") and not word.endswith(("ss", "us")):
        word = word[:-1]
    for ending, kept in (("ie", "i"), ("y", "i"), ("fe", "v"), ("f", "v"), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) + len(kept) >= _SHORTEST:
            word = word.removesuffix(ending) + kept
            break
    # Behind the e of a plural or of a singular there may be another s: bases and base, aliases.
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word


@lru_cache(maxsize=_REMEMBERED)
def entity(table: str) -> tuple[str, ...]:
    """The words of a table's name, the last as its stem: `order_items` → ("order", "item")."""
    found = words(table)
    return (*found[:-1], stem(found[-1])) if found else ()


def is_key(column: str) -> bool:
    """Whether a column's name is that of a key of its own table: id, uuid, pk and the like."""
    found = words(column)
    return len(found) == 1 and found[0] in _KEY_WORDS


@lru_cache(maxsize=_REMEMBERED)
def reference(column: str) -> tuple[str, ...] | None:
    """What a column's name refers to: `author_id` → ("author",); None if it names no key."""
    found = words(column)
    if len(found) > 1 and found[-1] in _KEY_WORDS:
        return (*found[:-2], stem(found[-2]))
    return None


def names_kind_beside(column: str, others: Iterable[str]) -> bool:
    """Whether a column refers to rows of any table, whose kind stands in one of the others.

    Rails' commentable_id beside commentable_type, Django's object_id beside content_type_id.
    """
    found = words(column)
    if len(found) < 2 or found[-1] not in _KEY_WORDS:  # noqa: PLR2004 - what it refers to, and a key
        return False
    kinds = [words(other) for other in others]
    if found[:-1] == ("object",):
        kinds += [kind[:-1] for kind in kinds if kind[-1:] == ("id",)]
        return any(kind[-2:] == ("content", "type") for kind in kinds)
    return (*found[:-1], "type") in kinds


@lru_cache(maxsize=_REMEMBERED)
def refers_to(column: str, table: str) -> bool:
    """Whether a column's name speaks of a table: `author_id` of `authors` or `library_authors`."""
    told, named = reference(column), entity(table)
    if not told or not named:
        return False
    return named[-len(told) :] == told or told[-len(named) :] == named


def names_both(column: str, table: str, other: str) -> bool:
    """Whether a name is that of a table and of a column in it: `country_code`, countries.code."""
    found, its = words(column), words(other)
    if not its or len(found) <= len(its) or found[-len(its) :] != its:
        return False
    first = found[: -len(its)]
    told = (*first[:-1], stem(first[-1]))
    return entity(table)[-len(told) :] == told


@lru_cache(maxsize=_REMEMBERED)
def refers_to_any(column: str, tables: frozenset[str]) -> bool:
    """Whether a column's name speaks of any of some tables."""
    return any(refers_to(column, table) for table in tables)
