"""Native twins: compiled modules (Cython) that do what some Python does, faster.

They lie in folders `native/` beside the Python, and are there when a compiler was there at installation
(tools/build_native.py). Without them, or where PG95_PURE_PYTHON is set when pg95 starts, Python does everything, with
the same result.
"""

import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(name: str) -> ModuleType | None:
    """A native module by its full name, None where it was not compiled or is switched off."""
    if os.environ.get("PG95_PURE_PYTHON"):
        return None
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def twin_in(module: ModuleType | None) -> Callable[[_Function], _Function]:
    """A decorator that puts the function of the same name in a native module in a function's place.

    What was decorated is the native one's `__wrapped__`: tests hold the two together. Without the module it stays
    where it is.
    """

    def chosen(function: _Function) -> _Function:
        if module is None:
            return function
        native: Any = getattr(module, function.__name__)
        native.__wrapped__ = function  # as functools.wraps does
        return cast("_Function", native)

    return chosen
