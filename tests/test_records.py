"""Records behave as frozen, slotted dataclasses do."""

import pickle
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import ClassVar

import pytest

from analyzer.records import changing, record


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


@record
class Computed:
    """Has a field that nobody gives."""

    x: int
    twice: int = field(init=False)
    kept: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Twice as much."""
        self.twice = 2 * self.x


class Further(Computed):
    """A subclass that is no record."""


def test_is_made_as_a_dataclass_is() -> None:
    assert (Further(3).twice, Computed(2).twice) == (6, 4)
    assert Computed(1).kept is not Computed(1).kept
    assert Named(1, seen=[2], name="a") == Named(1, (), [2], name="a")
    with pytest.raises(TypeError, match=r"Computed\.__init__\(\) missing 1 required"):
        Computed()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'twice'"):
        Computed(1, twice=3)  # type: ignore[call-arg]


@changing
class Tally:
    """Counts."""

    kind: ClassVar[str] = "tally"
    name: str
    calls: int = 0
    seen: list[int] = field(default_factory=list)


@changing
class Timed(Tally):
    """Counts, and times."""

    total_ms: float = 0.0


def test_what_changes_is_a_dataclass_too() -> None:
    tally = Tally("a")
    tally.calls += 1
    tally.seen.append(1)
    assert tally == Tally("a", 1, [1])
    assert tally != Tally("a")
    assert [one.name for one in fields(Timed)] == ["name", "calls", "seen", "total_ms"]
    assert replace(Timed("b", 2), total_ms=1.5) == Timed("b", 2, [], 1.5)
    assert (Timed("b").kind, repr(tally)) == ("tally", "Tally(name='a', calls=1, seen=[1])")
    with pytest.raises(TypeError, match="unhashable"):
        hash(tally)
    with pytest.raises(AttributeError):
        tally.other = 3  # type: ignore[attr-defined]


def test_can_be_pickled_and_subclassed_before_an_object_is_made() -> None:
    assert pickle.loads(pickle.dumps(Timed("c", 1))) == Timed("c", 1)  # noqa: S301 - its own bytes
    assert fields(Further(1)) == fields(Computed)
    assert is_dataclass(Nothing)


def test_matches_patterns_by_position() -> None:
    match Timed("d", 3):
        case Timed(name, calls, _, total_ms):
            assert (name, calls, total_ms) == ("d", 3, 0.0)
        case _:
            raise AssertionError
    assert Computed.__match_args__ == ("x",)  # type: ignore[attr-defined]
    assert Named.__match_args__ == ("x", "y", "seen")


@dataclass(slots=True)
class Weighed(Tally):
    """A plain dataclass of one that changes."""

    weight: float = 1.0


def test_a_dataclass_can_be_made_of_one() -> None:
    assert Weighed("e", 2) == Weighed("e", 2, [], 1.0)
    assert not hasattr(Weighed("e"), "__dict__")
