"""The queries that pg95 sends, one file each in queries/; every one holds the comment `/* pg95 */`.

By that comment pg95 recognises its own statements in logs and in pg_stat_statements.
"""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "queries"


@cache
def query(name: str) -> str:
    """The text of queries/<name>.sql."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def versions(name: str) -> list[tuple[int, ...]]:
    """The versions that queries/<name>-<version>.sql exist for, oldest first."""
    found = (path.stem.removeprefix(f"{name}-") for path in _FOLDER.glob(f"{name}-*.sql"))
    return sorted(tuple(int(part) for part in version.split(".")) for version in found)
