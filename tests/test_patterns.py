"""Regular expressions that wait for their first use are what `re.compile` makes of them."""

import gc
import importlib
import pkgutil
import re

import pytest

import analyzer
from analyzer.patterns import _Later, regex


def test_is_what_re_compiles() -> None:
    words = regex(r"(?P<first>\w)\w*", re.ASCII)
    assert [found["first"] for found in words.finditer("ab cd")] == ["a", "c"]
    assert words.sub("-", "ab cd é") == "- - é"
    assert (words.pattern, words.flags, words.groups) == (r"(?P<first>\w)\w*", re.ASCII, 1)
    assert regex(rb"\d+").fullmatch(b"12")
    assert not hasattr(words, "other")


def test_waits_until_it_is_used() -> None:
    broken = regex("(")
    with pytest.raises(re.error, match="unterminated subpattern"):
        broken.match("a")


def test_all_there_are_compile() -> None:
    for module in pkgutil.walk_packages(analyzer.__path__, "analyzer."):
        # The first is the program; the others belong to Alembic, which imports them when it has set up a store.
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
    gc.collect()
    waiting = [one for one in gc.get_objects() if isinstance(one, _Later)]
    for one in waiting:
        assert one.pattern is not None
