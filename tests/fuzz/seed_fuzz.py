"""Writes seeds for the fuzzers of the native scanner: usage: seed_fuzz.py FOLDER."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINE = "2026-11-22 08:00:0{n}.123 UTC [{n}] app@shop LOG:  duration: 1.5 ms  {kind}: {sql}\n"
STATEMENTS = (
    ("statement", "SELECT a FROM t WHERE id = 7 AND b IN (1, 2, 3) AND c = 'it''s' /* x */"),
    ("execute <unnamed>", "INSERT INTO t VALUES (1, E'\\\\n'), (2, $$b$$), (3, $1)"),
    ("bind S_1", "WITH a AS (SELECT 1) SELECT a[1], float(8) FROM a -- end"),
    ("parse S_1", 'UPDATE "T" SET x = -1.5e3 WHERE y = $1;'),
    ("statement", "SELECT 1 /*traceparent='00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',route='/a'*/"),
)  # fmt: skip


def main(folder: Path) -> None:
    """Write one file for each capture and each kind of line."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (kind, sql) in enumerate(STATEMENTS):
        line = LINE.format(n=number, kind=kind, sql=sql)
        detail = line.partition("LOG:")[0] + "DETAIL:  parameters: $1 = '5'\n"
        (folder / f"line{number}.log").write_text(line + detail)
        (folder / f"sql{number}.sql").write_text(sql)
    for path in sorted((ROOT / "sample_logs").rglob("*")):
        if path.is_file() and path.suffix in {".log", ".csv", ".json", ".jsonl"}:
            data = path.read_bytes()
            (folder / f"{path.parent.name}-{path.name}").write_bytes(data[:8192])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
