"""What pg95.toml says of the scoreboard: where the schema, its database and the cache's facts are."""

from collections.abc import Sequence
from pathlib import Path

from analyzer.configuration import Table
from analyzer.records import record

HIT_TARGET = 0.8


@record
class ScoreboardSettings:
    """What the four promises are measured by; what is not named stays unknown.

    `prisma` is schema.prisma or its folder, `server` which of the servers has its database, `dump` a pg_dump
    to compare with instead. `cache` are files (or globs) of Redis' INFO, MONITOR or an application's cache
    log. `hit_target` is a share.
    """

    prisma: Path | None
    server: str | None
    dump: Path | None
    cache: Sequence[str]
    hit_target: float


def read_scoreboard(
    table: Table, folder: Path, servers: Sequence[str]
) -> ScoreboardSettings | None:
    """The table [scoreboard], None where there is none; paths are relative to `folder`."""
    found = table.table("scoreboard")
    if found is None:
        return None
    prisma, dump = (found.text(name, None) for name in ("prisma", "dump"))
    server, target = found.text("server", None), found.number("hit_target", HIT_TARGET)
    cache = [str(folder / Path(one).expanduser()) for one in found.texts("cache")]
    found.end()
    if server is not None and server not in servers:
        found.refuse("server", f"names {server}, and no [[servers]] has that name")
    if server is None and prisma is not None and dump is None and len(servers) > 1:
        found.refuse("server", "is missing: there are several [[servers]]")
    if not 0 <= target <= 1:
        found.refuse("hit_target", "has to be a share between 0 and 1")
    return ScoreboardSettings(
        prisma=None if prisma is None else folder / Path(prisma).expanduser(),
        server=server or next(iter(servers), None),
        dump=None if dump is None else folder / Path(dump).expanduser(),
        cache=cache,
        hit_target=target,
    )
