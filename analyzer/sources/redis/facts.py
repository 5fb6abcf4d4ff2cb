"""What inputs and a live Redis tell of a cache, for the commands that ask for it."""

from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import InputError
from analyzer.sources.redis.events import looks_like_events, read_events
from analyzer.sources.redis.info import looks_like_info, read_info
from analyzer.sources.redis.monitor import looks_like_monitor, read_monitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.model.cache import CacheUse, RedisInfo

_HEAD_BYTES = 4096


class CacheFacts:
    """What inputs and a live Redis tell of the cache."""

    def __init__(self) -> None:
        self.routes: list[CacheUse] = []
        self.prefixes: list[CacheUse] = []
        self.info: RedisInfo | None = None
        self.origins: list[str] = []
        self.warnings: list[str] = []
        self.any = False

    def take(self, name: str) -> bool:
        """Read an input if it is of a cache; False leaves it to the readers of query logs."""
        path = Path(name)
        if not path.is_file():
            return False
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
        except OSError as error:
            raise InputError(f"{name}: cannot be read ({error.strerror})") from error
        readers: tuple[tuple[Callable[[str], bool], Callable[[Path], None]], ...] = (
            (looks_like_monitor, self._monitor),
            (looks_like_info, self._info),
            (looks_like_events, self._events),
        )
        for looks_like, read in readers:
            if looks_like(head):
                read(path)
                self.origins.append(name)
                self.any = True
                return True
        return False

    def ask(self, url: str, seconds: float) -> None:
        """Ask a live Redis."""
        from analyzer.sources.redis.live import read_live  # noqa: PLC0415 - an extra

        self.info, lines = read_live(url, seconds)
        self.origins.append(self.info.origin)
        self.prefixes += read_monitor(lines).by_prefix()
        self.any = True

    def _monitor(self, path: Path) -> None:
        with path.open(encoding="utf-8", errors="replace") as lines:
            sample = read_monitor(lines)
        self.prefixes += sample.by_prefix()
        if sample.unread:
            self.warnings.append(f"{path}: {sample.unread} lines are none of MONITOR's")

    def _info(self, path: Path) -> None:
        self.info = read_info(path.read_text(encoding="utf-8", errors="replace"), str(path))

    def _events(self, path: Path) -> None:
        with path.open(encoding="utf-8", errors="replace") as lines:
            events = read_events(lines)
        self.routes += events.routes()
        if events.unread:
            self.warnings.append(f"{path}: {events.unread} lines are no cache events")
