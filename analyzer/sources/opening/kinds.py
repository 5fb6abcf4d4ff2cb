"""What an input is packed with, by its first bytes; and which archives are refused, with the remedy."""

import bz2

from analyzer.errors import InputError
from analyzer.sources.opening.packed import (
    Deflate,
    Kind,
    Lz4Frame,
    shell_word,
    skipped_bytes,
    start_xz,
    start_zstd,
)

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # the second of an empty archive
_KINDS = (
    Kind("gzip", (b"\x1f\x8b\x08",), lambda: Deflate(31), "gzip -dc"),
    # What follows a level is the start of a block, or of the end where there is none.
    Kind(
        "bzip2",
        tuple(
            b"BZh%d%s" % (level, mark) for level in range(1, 10) for mark in (b"1AY&", b"\x17rE8")
        ),
        bz2.BZ2Decompressor,
        "bzip2 -dc",
    ),
    Kind("xz", (b"\xfd7zXZ\x00",), start_xz, "xz -dc"),
    Kind("zstd", (b"\x28\xb5\x2f\xfd",), start_zstd, "zstd -dc", skippable=True),
    Kind("lz4", (b"\x04\x22\x4d\x18",), Lz4Frame, "lz4 -dc", skippable=True),
)
_FOREIGN = (  # recognised so that the message can name the remedy
    (b"PK\x03\x04", "zip", "unzip -p"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", "7z x -so"),
    (b"Rar!\x1a\x07", "RAR", "unrar p -inul"),
    (b"\x1f\x9d", "compress (.Z)", "gzip -dc"),
    (b"\x5d\x00\x00", "lzma", "xz --format=lzma -dc"),
    (b"\x02\x21\x4c\x18", "old lz4", "lz4 -dc"),
    (b"LZIP\x01", "lzip", "lzip -dc"),
    (b"\x89LZO\x00\r\n", "lzop", "lzop -dc"),
)
_TAR = slice(257, 262)


def recognised(first: bytes) -> Kind | None:
    """What an input is packed with, by its first bytes; None if with nothing that is read."""
    skipped = False
    while size := skipped_bytes(first):  # pzstd writes one first
        skipped = True
        first = first[size:]
    for kind in _KINDS:
        if first.startswith(kind.magics):
            return kind
    return next(kind for kind in _KINDS if kind.skippable) if skipped else None


def refuse(path: str, head: bytes, command: str | None) -> None:
    """Raise if `head` is an archive that is not read: of another kind, or inside another one.

    Args:
        path: of the input, to be shown.
        head: its first bytes, unpacked.
        command: what unpacked it, of a shell; None if it was not packed.

    Raises:
        InputError: it is one; with the remedy.
    """
    found = _archive(head, packed=command is not None)
    if found is None:
        return
    name, remedy = found
    what = f"{name} archives are not read"
    if command is not None and name != "tar":
        what = f"holds {name} data, and archives in archives are not read"
    if name == "tar":
        unpack = f"{command} | tar -x" if command else f"tar -xf {shell_word(path)}"
        how = f"into a folder and give that: mkdir logs && {unpack} -C logs && pg95 report logs"
    elif command is None:
        how = f"and pipe it in: {remedy} {shell_word(path)} | pg95 report -"
    elif name == "zip":
        how = f"and give that: {command} > inner.zip && pg95 report inner.zip"
    else:
        how = f"and pipe it in: {command} | {remedy} | pg95 report -"
    raise InputError(f"{path}: {what}; unpack it {how}")


def _archive(head: bytes, *, packed: bool) -> tuple[str, str] | None:
    """The name of the archive that `head` begins, and the command that unpacks it.

    The kinds that are read count only in what was `packed` already.
    """
    if head[_TAR] == b"ustar":
        return "tar", "tar"
    kind = recognised(head) if packed else None
    if kind is not None:
        return kind.name, kind.command
    return next(((name, how) for magic, name, how in _FOREIGN if head.startswith(magic)), None)
