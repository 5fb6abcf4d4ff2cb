"""Takes the captures beside it again, with a PostgreSQL 15 and a PgBouncer of its own.

    PYTHONPATH=.:benchmarks/applications .venv/bin/python tests/data/pooled/take.py [RUN…]

For each run: `<run>.csv.xz`, the csvlog of PostgreSQL, and `<run>.json`, the labels that its truth gives
(benchmarks/applications/labels.py: one place of the program at least five times in a request with at
least five different sets of parameters).
"""

import json
import lzma
import subprocess
import sys
import tempfile
from pathlib import Path

import servers
from cut import small
from labels import label, read_truth

HERE = Path(__file__).resolve().parent
RUNS = {  # pool_mode, server connections, clients, what the program is told
    "statement": ("statement", 2, 5, ()),
    "statement-crowded": ("statement", 3, 10, ()),
    "statement-at-once": ("statement", 3, 10, ("--at-once",)),
    "statement-tagged": ("statement", 2, 5, ("--tagged",)),
    "transaction": ("transaction", 3, 5, ("--transactions",)),
}
REQUESTS = 240


def take(run: str, server: servers.Server, scratch: Path) -> None:
    """One run, in a database of its own."""
    mode, connections, clients, told = RUNS[run]
    database = f"shop_{run.replace('-', '_')}"
    server.copy_database("shop", database)
    server.log_everything(database)
    with servers.bouncer(scratch / run, server, connections, mode) as port:
        address = f"host=127.0.0.1 port={port} user=postgres dbname={database}"
        truth = scratch / f"{run}.jsonl"
        command = [sys.executable, HERE / "program.py", address, truth, str(REQUESTS), str(clients)]
        before = server.log_sizes()["postgresql.csv"]
        subprocess.run([*command, *told], check=True)
        after = server.log_sizes()["postgresql.csv"]
    log = (server.directory / "log" / "postgresql.csv").read_bytes()[before:after]
    mine = [line for line in log.splitlines(keepends=True) if f'"{database}"'.encode() in line]
    log = b"".join(mine)
    (HERE / f"{run}.csv.xz").write_bytes(lzma.compress(log, preset=9 | lzma.PRESET_EXTREME))
    labels = small(label(read_truth(truth)))
    (HERE / f"{run}.json").write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")
    print(run, len(log), "bytes,", len(labels["n_plus_one"]), "labelled")


def main() -> None:
    """Take those that are named, or all."""
    with tempfile.TemporaryDirectory(prefix="pooled-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        with servers.postgres(scratch / "server") as server:
            server.psql("CREATE DATABASE shop")
            for script in ("schema.sql", "data.sql"):
                server.psql((HERE / script).read_text(), "shop")
            for run in sys.argv[1:] or RUNS:
                take(run, server, scratch)


if __name__ == "__main__":
    main()
