"""What looks at slices as they pass by must not end the run: a Guard keeps what goes wrong."""

from collections.abc import Callable
from typing import TypeVar

from analyzer.errors import portable

_T = TypeVar("_T")


class Guard:
    """Keeps the first failure of one watcher until a detector asks: it costs that detector, never the report."""

    def __init__(self) -> None:
        self._failure: Exception | None = None

    def __getstate__(self) -> dict[str, object]:
        """As another process gets it."""
        return {"_failure": self._failure and portable(self._failure)}

    def look(self, way: Callable[[], _T], otherwise: _T) -> _T:
        """What a look at a slice gives; `otherwise` if it fails, and ever after."""
        if self._failure is not None:
            return otherwise
        try:
            return way()
        except Exception as error:  # noqa: BLE001 - whatever it is, `settle` raises it
            self._failure = error
            return otherwise

    def settle(self) -> None:
        """Raise what went wrong on the way."""
        if self._failure is not None:
            raise self._failure
