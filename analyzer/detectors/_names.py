"""Guessing relations from names, for when no foreign keys are known."""

import re
from functools import lru_cache

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")
_REMEMBERED = 10_000  # the same few names are compared again and again
_KEY_WORDS = ("id", "uuid", "guid", "pk", "key", "oid")
_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "mice": "mouse",
}


@lru_cache(maxsize=_REMEMBERED)
def words(name: str) -> tuple[str, ...]:
    """Split a name: `author_id`, `authorId`, `AuthorID` → ("author", "id"), without its schema."""
    return tuple(word.lower() for word in _WORDS.findall(name.rpartition(".")[2]))


def singular(word: str) -> str:
    """The singular of an English noun, well enough for table names."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - "ties", "dies" keep their stem
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=_REMEMBERED)
def entity(table: str) -> tuple[str, ...]:
    """The words of a table's name in the singular: `order_items` → ("order", "item")."""
    found = words(table)
    return (*found[:-1], singular(found[-1])) if found else ()


def is_key(column: str) -> bool:
    """Whether a column's name is that of a key of its own table: id, uuid, pk and the like."""
    found = words(column)
    return len(found) == 1 and found[0] in _KEY_WORDS


@lru_cache(maxsize=_REMEMBERED)
def reference(column: str) -> tuple[str, ...] | None:
    """What a column's name refers to: `author_id` → ("author",); None if it names no key."""
    found = words(column)
    if len(found) > 1 and found[-1] in _KEY_WORDS:
        return (*found[:-2], singular(found[-2]))
    return None


def refers_to(column: str, table: str) -> bool:
    """Whether a column's name speaks of a table: `author_id` of `authors` or `library_authors`."""
    stem, named = reference(column), entity(table)
    if not stem or not named:
        return False
    return named[-len(stem) :] == stem or stem[-len(named) :] == named


@lru_cache(maxsize=_REMEMBERED)
def refers_to_any(column: str, tables: frozenset[str]) -> bool:
    """Whether a column's name speaks of any of some tables."""
    return any(refers_to(column, table) for table in tables)
