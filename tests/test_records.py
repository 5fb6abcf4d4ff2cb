"""Records behave as frozen, slotted dataclasses do."""

from dataclasses import asdict, dataclass, field, fields, replace

import pytest

from analyzer.records import record


@record
class Point:
    """A point."""

    x: int
    y: tuple[int, ...] = ()
    seen: list[int] = field(default_factory=list)


@record(kw_only=True)
class Named(Point):
    """A point with a name."""

    name: str


@dataclass(frozen=True, slots=True)
class Twin:
    """What dataclasses make of the same fields as Point's first two."""

    x: int
    y: tuple[int, ...] = ()


@record
class Half:
    """Twin's twin."""

    x: int
    y: tuple[int, ...] = ()


@record
class Nothing:
    """Has no fields."""


def test_equals_by_class_and_fields() -> None:
    assert Point(1, (2,)) == Point(1, (2,))
    assert Point(1) != Point(2)
    assert Half(1) != Twin(1)
    assert Named(x=1, name="a") != Point(1)
    assert Nothing() == Nothing()


def test_hashes_as_it_equals() -> None:
    assert len({Half(1, (2,)), Half(1, (2,)), Half(1, (3,))}) == 2
    assert hash(Half(1, (2,))) == hash(Twin(1, (2,)))
    assert hash(Nothing()) == hash(Nothing())
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1))  # it holds a list


def test_is_a_dataclass() -> None:
    assert [one.name for one in fields(Named)] == ["x", "y", "seen", "name"]
    assert replace(Half(1), x=2) == Half(2)
    assert asdict(Named(x=1, name="a")) == {"x": 1, "y": (), "seen": [], "name": "a"}
    assert repr(Half(1)) == repr(Twin(1)).replace("Twin", "Half")


def test_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Half(1).z = 3  # type: ignore[attr-defined]
    assert not hasattr(Half(1), "__dict__")
