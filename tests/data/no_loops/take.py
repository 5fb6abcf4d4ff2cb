"""Takes the captures beside it again, with a PostgreSQL 15 of its own.

    PYTHONPATH=.:benchmarks/applications .venv/bin/python tests/data/no_loops/take.py [BEHAVIOUR…]

For each behaviour of program.py `<behaviour>.log.xz`, as the server wrote it.
"""

import lzma
import subprocess
import sys
import tempfile
from pathlib import Path

import servers
from program import BEHAVIOURS

HERE = Path(__file__).resolve().parent


def take(name: str, server: servers.Server) -> None:
    """One behaviour, in a database of its own."""
    database = f"shop_{name}"
    server.copy_database("shop", database)
    server.log_everything(database)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{server.port}/{database}"
    before = server.log_sizes()["postgresql.log"]
    subprocess.run([sys.executable, HERE / "program.py", url, name], check=True)
    after = server.log_sizes()["postgresql.log"]
    log = (server.directory / "log" / "postgresql.log").read_bytes()[before:after]
    packed = lzma.compress(log, preset=9 | lzma.PRESET_EXTREME)
    (HERE / f"{name}.log.xz").write_bytes(packed)
    print(name, len(log), "bytes")


def main() -> None:
    """Take those that are named, or all."""
    with tempfile.TemporaryDirectory(prefix="no-loops-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        with servers.postgres(scratch / "server") as server:
            server.psql("CREATE DATABASE shop")
            server.psql((HERE / "schema.sql").read_text(), "shop")
            for name in sys.argv[1:] or BEHAVIOURS:
                take(name, server)


if __name__ == "__main__":
    main()
