"""What the names of tables and columns say about each other."""

import pytest

from analyzer.detectors._names import refers_to, stem

SINGULAR_AND_PLURAL = """
    address addresses, alias aliases, analysis analyses, archive archives, area areas, axis axes,
    base bases, belief beliefs, bonus bonuses, box boxes, branch branches, bus buses, cache caches,
    case cases, category categories, child children, city cities, class classes, company companies,
    cookie cookies, course courses, crisis crises, day days, expense expenses, hero heroes,
    house houses, index indices, key keys, knife knives, leaf leaves, lens lenses, license licenses,
    media media, menu menus, movie movies, news news, page pages, person people, price prices,
    process processes, purchase purchases, quiz quizzes, role roles, schema schemas, series series,
    shelf shelves, shoe shoes, size sizes, status statuses, store stores, survey surveys, tag tags,
    tax taxes, user users, virus viruses
"""
PAIRS = [tuple(pair.split()) for pair in SINGULAR_AND_PLURAL.split(",")]


@pytest.mark.parametrize(("one", "many"), PAIRS)
def test_singular_and_plural_have_one_stem(one: str, many: str) -> None:
    assert stem(one) == stem(many)
    assert refers_to(f"{one}_id", many)
    assert refers_to(f"{one}Id", f"shop.{one}")


def test_different_nouns_have_different_stems() -> None:
    stems = {stem(one) for one, _ in PAIRS}
    assert len(stems) == len(PAIRS)


@pytest.mark.parametrize(
    ("column", "table"),
    [("author_id", "books"), ("author", "authors"), ("id", "authors"), ("moved_id", "movies")],
)
def test_other_names_refer_to_nothing(column: str, table: str) -> None:
    assert not refers_to(column, table)
