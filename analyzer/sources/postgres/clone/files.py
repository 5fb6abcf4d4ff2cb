"""Files of tables and indexes, made as large as statistics say and holding nothing.

The planner takes a table's size from its file, not from its statistics. A file that was extended without
writing takes no space. Every file holds up to 1 GB (RELSEG_SIZE), then another one follows.
"""

import os
from pathlib import Path

from analyzer.sources.postgres.clone.server import CloneServer

PAGE_BYTES = 8192
_SEGMENT_PAGES = 131_072


def extend(server: CloneServer, path: str, pages: int) -> None:
    """Make a relation's file at least `pages` long; `path` is pg_relation_filepath()'s."""
    first = server.data / path
    whole, left = divmod(max(0, pages), _SEGMENT_PAGES)
    for number in range(whole + bool(left) or 1):
        file = _segment(first, number)
        wanted = (_SEGMENT_PAGES if number < whole else left) * PAGE_BYTES
        if number and not file.exists():
            file.touch(mode=0o600)
            server.owned(file)
        if file.stat().st_size < wanted:
            os.truncate(file, wanted)


def empty(server: CloneServer, path: str) -> None:
    """Make a table's file empty again, so that an index on it is built at once.

    Further files stay, with no bytes in them: sessions may have them open.
    """
    first = server.data / path
    number = 0
    while (file := _segment(first, number)).exists():
        os.truncate(file, 0)
        number += 1


def _segment(first: Path, number: int) -> Path:
    return first if number == 0 else first.with_name(f"{first.name}.{number}")
