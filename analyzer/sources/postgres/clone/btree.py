"""An empty btree as high as a full one: what the planner asks an index itself, beside its size.

A lookup costs more in a higher tree, and the planner reads the height off the index's meta page. A new
index has no root at all. It gets a chain of valid pages: a root, one page a level below it, and an empty
leaf. Whoever walks down finds no rows, as in an index whose rows were all deleted. The index's first file
may still be in the server's memory, so the tree is planted in another one.

The layout is that of access/nbtree.h and storage/bufpage.h (page layout version 4, btree version 4).
"""

import math
import struct
from pathlib import Path

from analyzer.sources.postgres.clone.files import PAGE_BYTES, extend
from analyzer.sources.postgres.clone.server import CloneServer

_HEADER = struct.Struct("=QHHHHHHI")  # LSN, checksum, flags, lower, upper, special, size, prune xid
_OPAQUE = struct.Struct("=IIIHH")  # previous, next, level, flags, cycle id
# Magic, version, root, level, fast root, fast level, two figures of VACUUM, whether keys may be merged.
_META = struct.Struct("=IIIIIII4xdB7x")
_TUPLE = struct.Struct("=HHHH")  # block (high, low), offset, info
_MAGIC, _VERSION = 0x053162, 4
_LAYOUT = PAGE_BYTES | 4
_LEAF, _ROOT, _META_PAGE = 1, 2, 8
_SPECIAL = PAGE_BYTES - _OPAQUE.size
_ALTERNATIVE = 0x2000  # INDEX_ALT_TID_MASK: the tuple leads to a page below
_NORMAL = 1 << 15  # LP_NORMAL of a line pointer
_INNER_ROOM = 5695  # bytes of a page above the leaves, filled to 70 %
_AROUND_KEY = 12  # bytes of a tuple's header and line pointer
_MOST_LEVELS = 8
_OTHER_FILES = 3_000_000_000  # numbers from here on are given to no relation of a server so young


def height(pages: int, key_bytes: float) -> int:
    """How many levels are above the leaves of a btree of so many pages and keys of that size."""
    fanout = max(2.0, _INNER_ROOM / (_AROUND_KEY + math.ceil(key_bytes / 8) * 8))
    leaves, levels = max(1, pages - 1), 0
    while leaves > 1 and levels < _MOST_LEVELS:
        leaves = math.ceil(leaves / fanout)
        levels += 1
    return levels


def plant(server: CloneServer, path: str, levels: int, pages: int) -> int:
    """Write an empty tree with so many levels above its leaf, `pages` long; gives its file's number.

    The index is to have that number for its file from then on (pg_class.relfilenode).
    """
    first = Path(path)
    number = int(first.name) + _OTHER_FILES
    other = first.with_name(str(number))
    file = server.data / other
    with file.open("wb") as stream:
        stream.write(_meta_page(levels))
        for level in range(levels + 1):
            stream.write(_page(level, root=level == levels))
    file.chmod(0o600)
    server.owned(file)
    extend(server, str(other), pages)
    return number


def _meta_page(levels: int) -> bytes:
    page = bytearray(PAGE_BYTES)
    top = levels + 1
    _HEADER.pack_into(page, 0, 0, 0, 0, _HEADER.size + _META.size, _SPECIAL, _SPECIAL, _LAYOUT, 0)
    _META.pack_into(page, _HEADER.size, _MAGIC, _VERSION, top, levels, top, levels, 0, -1.0, 1)
    _OPAQUE.pack_into(page, _SPECIAL, 0, 0, 0, _META_PAGE, 0)
    return bytes(page)


def _page(level: int, *, root: bool) -> bytes:
    """The only page of its level; the one of level n is block n + 1, and leads to block n."""
    page = bytearray(PAGE_BYTES)
    lower, upper = _HEADER.size, _SPECIAL
    if level:
        lower, upper = lower + 4, upper - _TUPLE.size
        struct.pack_into("=I", page, _HEADER.size, upper | _NORMAL | _TUPLE.size << 17)
        _TUPLE.pack_into(page, upper, 0, level, 0, _TUPLE.size | _ALTERNATIVE)
    _HEADER.pack_into(page, 0, 0, 0, 0, lower, upper, _SPECIAL, _LAYOUT, 0)
    _OPAQUE.pack_into(page, _SPECIAL, 0, 0, level, (0 if level else _LEAF) | root * _ROOT, 0)
    return bytes(page)
