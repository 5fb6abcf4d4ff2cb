"""Regular expressions that are compiled when they are first used: a run uses a quarter of the 390 that there are."""

import re
from typing import Any, AnyStr, cast

_PARTS = tuple(name for name in dir(re.Pattern) if not name.startswith("_"))


def regex(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile(text, flags)` gives, from its first use on.

    For constants of modules. One that is no regular expression fails when it is used: a test compiles them all.
    """
    return cast("re.Pattern[AnyStr]", _Later(text, flags))


class _Later:
    """Waits for its first use; then it has all that the compiled expression has, as attributes of its own."""

    def __init__(self, text: Any, flags: int) -> None:  # noqa: ANN401 - str or bytes
        self._given = (text, flags)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a compiled expression has
        if name not in _PARTS:
            raise AttributeError(name)
        found = re.compile(*self._given)
        for part in _PARTS:
            setattr(self, part, getattr(found, part))
        # Where a class has a `__getattr__`, reading any attribute takes longer.
        self.__class__ = _Compiled  # type: ignore[assignment]
        return getattr(found, name)


class _Compiled:
    """What `_Later` becomes."""
