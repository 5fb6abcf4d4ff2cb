"""`@record`: what `@dataclass(frozen=True, slots=True)` says, at a tenth of its price; `@changing` is its mutable twin.

dataclasses compiles up to five methods for each class, and a run defines some 500 of them: 0.1 s before a byte is
read. Here a class gets its slots, and the rest when it is first needed: its `__init__`, the only method that is
compiled, with its first object, and its `fields` when they are asked for. Most runs make objects of a third of all
classes. To compare, hash and show is left to functions that all share. That nobody assigns to a record's field is
mypy's to see, not checked at run time, which makes an object in a quarter of the time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from operator import attrgetter
from typing import Any, ClassVar, TypeVar, dataclass_transform, overload

Made = TypeVar("Made")
_WHOLE = frozenset((str, int, float, bool, type(None)))  # most of what records hold
_OWN = "_own_fields"  # where a class keeps what it was defined with


@overload
def record(made: type[Made], /) -> type[Made]: ...


@overload
def record(*, kw_only: bool = False) -> Callable[[type[Made]], type[Made]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    made: type[Made] | None = None, /, *, kw_only: bool = False
) -> type[Made] | Callable[[type[Made]], type[Made]]:
    """A frozen, slotted dataclass: for `fields`, `replace` and `asdict`, too.

    Subclasses of records are records.
    """
    if made is None:
        return lambda cls: _with_slots(cls, _first_hash, kw_only=kw_only)
    return _with_slots(made, _first_hash, kw_only=kw_only)


@dataclass_transform(field_specifiers=(field,))
def changing(made: type[Made], /) -> type[Made]:
    """A slotted dataclass whose fields change: `@dataclass(slots=True)`."""
    return _with_slots(made, None, kw_only=False)


def plain(value: Any) -> Any:  # noqa: ANN401 - a record with what it holds, or that
    """What `dataclasses.asdict` gives of a record, but for copies of what is in no record, dictionary or sequence.

    Copying every number and text is most of what that takes.
    """
    if type(value) in _WHOLE:
        return value
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    names = getattr(type(value), "__dataclass_fields__", None)
    return value if names is None else {name: plain(getattr(value, name)) for name in names}


def _with_slots(
    cls: type[Made], hashing: Callable[[Any], int] | None, *, kw_only: bool
) -> type[Made]:
    """The class anew, as slots cannot be added to one, with what all such classes share."""
    body = dict(vars(cls))
    held = {slot for base in cls.__mro__[1:] for slot in getattr(base, "__slots__", ())}
    own: dict[str, Any] = {}
    for name, kind in body.get("__annotations__", {}).items():
        if kind is not ClassVar and getattr(kind, "__origin__", None) is not ClassVar:
            own[name] = body.pop(name, MISSING)
    body["__slots__"] = tuple(name for name in own if name not in held)
    if not kw_only:
        given = [
            name for name, default in own.items() if not isinstance(default, Field) or default.init
        ]
        known = getattr(cls, "__match_args__", ())
        body["__match_args__"] = tuple(dict.fromkeys((*known, *given)))
    body["__dataclass_fields__"] = body[_OWN] = _Fields(own, kw_only=kw_only)
    body.pop("__dict__", None)
    body.pop("__weakref__", None)
    if "__eq__" not in body:
        body["__eq__"] = _first_equals
        body.setdefault("__hash__", hashing)
    body.setdefault("__repr__", _shown)
    anew: Any = type(cls)
    made = anew(cls.__name__, cls.__bases__, body)
    if "__init__" not in body:
        made.__init__ = _until_made(made)
    found: type[Made] = made
    return found


class _Fields:
    """Stands where a dataclass has its fields, until they are asked for."""

    __slots__ = ("_kw_only", "_own")

    def __init__(self, own: Mapping[str, Any], *, kw_only: bool) -> None:
        """Of the class's own fields: each one's default, `field(…)` or MISSING."""
        self._own = own
        self._kw_only = kw_only

    def __get__(self, _made: object, cls: Any) -> Mapping[str, Field[Any]]:  # noqa: ANN401 - any record
        # A subclass that is no record of its own has its base's fields.
        made = next(one for one in cls.__mro__ if vars(one).get(_OWN) is self)
        return self._known(made)

    def declared(self) -> Iterator[Field[Any]]:
        """The class's own fields, as far as an `__init__` needs to know them."""
        for name, default in self._own.items():
            one: Field[Any] = default if isinstance(default, Field) else field(default=default)
            one.name = name
            if one.kw_only is MISSING:
                one.kw_only = self._kw_only
            yield one

    def _known(self, cls: Any) -> Mapping[str, Field[Any]]:  # noqa: ANN401 - any record
        kinds = vars(cls).get("__annotations__", {})
        body: dict[str, Any] = {name: one for name, one in self._own.items() if one is not MISSING}
        body["__annotations__"] = {name: kinds[name] for name in self._own}
        body |= {"__doc__": cls.__doc__, "__module__": cls.__module__}
        decorate: Any = dataclass(
            init=False, eq=False, repr=False, match_args=False, kw_only=self._kw_only
        )
        twin = decorate(type(cls.__name__, (), body))
        found: dict[str, Field[Any]] = {}
        for base in cls.__mro__[:0:-1]:
            found |= getattr(base, "__dataclass_fields__", {})
        found |= twin.__dataclass_fields__
        cls.__dataclass_params__ = twin.__dataclass_params__
        cls.__dataclass_fields__ = found
        return found


def _until_made(cls: Any) -> Callable[..., None]:  # noqa: ANN401 - any record
    """An `__init__` that puts the compiled one in its place, at the first object."""

    def init(self: object, *values: object, **named: object) -> None:
        cls.__init__ = _compiled_init(cls)
        cls.__init__(self, *values, **named)

    return init


def _compiled_init(cls: Any) -> Callable[..., None]:  # noqa: ANN401 - any record
    """The `__init__` that dataclasses would write for the fields of a class, but for its annotations."""
    known: dict[str, Any] = {"_MISSING": MISSING}
    every = _declared(cls)
    given = [one for one in every if one.init]
    arguments = [_argument(one, known) for one in given if not one.kw_only]
    named = [_argument(one, known) for one in given if one.kw_only]
    if named:
        arguments += ["*", *named]
    body = [line for one in every for line in _assignment(one, known)]
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    text = f"def __init__({', '.join(['self', *arguments])}):\n " + ("\n ".join(body) or "pass")
    exec(text, known)  # noqa: S102 - names of fields, which are the program's own
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    return init


def _declared(cls: Any) -> list[Field[Any]]:  # noqa: ANN401 - any record
    """The fields of a class and of those it is made from; asking dataclasses for them takes longer."""
    found: dict[str, Field[Any]] = {}
    for one in reversed(cls.__mro__):
        own = vars(one).get(_OWN)
        every = own.declared() if own else vars(one).get("__dataclass_fields__", {}).values()
        found |= {each.name: each for each in every}
    return list(found.values())


def _argument(one: Field[Any], known: dict[str, Any]) -> str:
    """A field as an argument; its default is known by a name of its own."""
    if one.default_factory is not MISSING:
        return f"{one.name}=_MISSING"
    if one.default is MISSING:
        return one.name
    known[f"_of_{one.name}"] = one.default
    return f"{one.name}=_of_{one.name}"


def _assignment(one: Field[Any], known: dict[str, Any]) -> Iterator[str]:
    name = one.name
    if one.default_factory is not MISSING:
        known[f"_make_{name}"] = one.default_factory
        made = f"_make_{name}()"
        yield f"self.{name} = {f'{made} if {name} is _MISSING else {name}' if one.init else made}"
    elif one.init:
        yield f"self.{name} = {name}"
    elif one.default is not MISSING:
        known[f"_of_{name}"] = one.default
        yield f"self.{name} = _of_{name}"


def _first_equals(self: Any, other: object) -> object:  # noqa: ANN401 - any record
    _compare_by_values(self, "__eq__", _first_equals)
    return self.__eq__(other)


def _first_hash(self: object) -> int:
    _compare_by_values(self, "__hash__", _first_hash)
    return hash(self)


def _compare_by_values(self: object, method: str, first: object) -> None:
    """Give an object's class what compares and hashes, in the place of the `first` of these methods."""
    cls: Any = next((one for one in type(self).__mro__ if vars(one).get(method) is first), None)
    if cls is None:  # another thread was quicker
        return
    names = [one.name for one in fields(cls)]
    values: Callable[[object], object] = attrgetter(*names) if names else _no_values

    def equals(self: object, other: object) -> object:
        if other.__class__ is not self.__class__:
            return NotImplemented  # Python asks the other one
        return values(self) == values(other)

    cls.__eq__ = equals
    if vars(cls)["__hash__"] is _first_hash:
        cls.__hash__ = lambda self: hash(values(self))


def _no_values(_record: object) -> tuple[()]:
    return ()


def _shown(self: Any) -> str:  # noqa: ANN401 - of any record
    texts = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self))
    return f"{self.__class__.__qualname__}({texts})"
