"""The native scanner: C twins of the readers' hot path (scan.h), optional.

The compiled module `_scan` is there when a compiler was there at installation. What it does not
know it declines, entry by entry, and the Python reader beside it handles that; without it, or with
PG95_PURE_PYTHON set, the Python readers do everything, with the same result.
"""

import os
from typing import TYPE_CHECKING

from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.prefix import Prefix

if TYPE_CHECKING:
    from collections.abc import Callable
    from ctypes import Array, c_ubyte

    from analyzer.sources.logs.csvlog import CsvlogReader
    from analyzer.sources.logs.jsonlog import JsonlogReader
    from analyzer.sources.logs.native.driver import NativeReader
    from analyzer.sources.logs.stderr import StderrReader

PURE_PYTHON = "PG95_PURE_PYTHON"


def is_available() -> bool:
    """Whether the native scanner was compiled, and is not switched off by PG95_PURE_PYTHON."""
    if os.environ.get(PURE_PYTHON):
        return False
    try:
        import analyzer.sources.logs.native._scan  # noqa: F401, PLC0415 - it may be missing
    except ImportError:
        return False
    return True


def keep_memory() -> None:
    """Have the allocator keep what is freed: columns come and go, some megabytes at a time.

    Else the kernel gives and takes these pages every time. Without the native scanner it does.
    """
    if is_available():
        from analyzer.sources.logs.native import _scan  # noqa: PLC0415 - it may be missing

        _scan.keep_memory()


def lend_columns(lender: "Callable[[], Array[c_ubyte] | None] | None") -> None:
    """Have the scanners of this process leave columns in memory that `lender` gives, as long as it gives any.

    None: in memory of their own again. Without the native scanner nobody is asked.
    """
    if is_available():
        from analyzer.sources.logs.native import batch  # noqa: PLC0415 - it needs the scanner

        batch.LENDERS[:] = [] if lender is None else [lender]


def native_reader(
    sink: EntrySink, prefix: Prefix | None, reader: "StderrReader | CsvlogReader | JsonlogReader"
) -> "NativeReader | None":
    """A reader with the native scanner, which leaves to `reader` what that declines; None: there is none.

    Besides a missing scanner that is the case where a log_line_prefix cannot be read natively.
    """
    if not is_available():
        return None
    from analyzer.sources.logs.native import formats  # noqa: PLC0415 - it needs the scanner

    keep_memory()
    return formats.reader_for(sink, prefix, reader)
