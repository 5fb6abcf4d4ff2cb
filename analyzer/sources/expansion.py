"""From the user's words to inputs: folders, globs, archives with several members, URLs."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from analyzer.sources.opening import expand_archive, expand_url, is_url


def expand(inputs: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The inputs that the user's words stand for, and whether each was found in a folder."""
    for name in inputs:
        for path, found in _paths(name):
            members = None if path == "-" or is_url(path) else expand_archive(path)
            yield from ((member, found) for member in members or [path])


def identity(path: str) -> str:
    """What two names of one input share."""
    if path == "-" or "\0" in path or is_url(path) or "!" in path:
        return path
    return os.path.realpath(path)


def _paths(name: str) -> Iterator[tuple[str, bool]]:
    if name == "-":
        yield name, False
    elif is_url(name):
        yield from expand_url(name)
    elif Path(name).is_dir():
        yield from ((path, True) for path in _walk(name))
    elif not Path(name).exists() and glob.has_magic(name):
        for match in sorted(glob.glob(name, recursive=True)) or [name]:  # noqa: PTH207  # absolute patterns too
            if Path(match).is_dir():
                yield from ((path, True) for path in _walk(match))
            else:
                yield match, False
    else:
        yield name, False


def _walk(folder: str) -> Iterator[str]:
    """All files below a folder, in the order of their names; hidden ones are left out."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(root, name)) for name in sorted(files) if not name.startswith("."))
