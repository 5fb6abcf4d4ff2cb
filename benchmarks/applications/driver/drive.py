"""Drives one process of an application. Runs in the application's own virtualenv.

    drive.py FRAMEWORK APPLICATION seed PLAN            make the tables, fill them, write the requests
    drive.py FRAMEWORK APPLICATION run PLAN --truth T   send this worker's share of the requests

`<framework>_host.py` beside this file knows how applications of a framework are opened: a `Host`. The
application's folder gives `settings.py`, whatever its host asks of that; `seed.py` with `seed()`; and
`requests.py` with `plan()`, the requests as JSON, and `login(client, who)`.
"""

import argparse
import importlib
import json
import random
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).resolve().parent


class Host(Protocol):
    """An application within this process. A host is made of the name of the application's package."""

    def make_tables(self) -> None:
        """Give an empty database its tables."""

    def fill(self, seed: Any, plan: Any) -> Any:
        """Call `seed`, then `plan`, as code of the application; what `plan` returns."""

    def client(self) -> Any:
        """A new visitor of the site, for `login` and `send`."""

    def send(self, client: Any, request: dict[str, Any]) -> tuple[int, str | None]:
        """Send one request and read the whole answer; its status and where it redirects to."""

    def watch(self, witness: Any) -> None:
        """Tell the witness of every statement from now on, over connections that it sees opened."""


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("framework")
    parser.add_argument("application")
    parser.add_argument("job", choices=("seed", "run"))
    parser.add_argument("plan", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--think", type=float, nargs=2, default=(0.0, 0.0))
    parser.add_argument("--tagged", action="store_true")
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()

    sys.path[:0] = [str(HERE.parent), str(HERE)]
    warnings.simplefilter("ignore")
    host = importlib.import_module(f"{options.framework}_host").Host(options.application)
    if options.job == "seed":
        _seed(host, options)
    else:
        _run(host, options)


def _seed(host: Host, options: argparse.Namespace) -> None:
    random.seed(7)
    began = time.monotonic()
    host.make_tables()
    print(f"tables made in {time.monotonic() - began:.0f} s", flush=True)
    seed = importlib.import_module(f"{options.application}.seed").seed
    plan = importlib.import_module(f"{options.application}.requests").plan
    requests = host.fill(seed, plan)
    options.plan.write_text(json.dumps(requests, indent=1), encoding="utf-8")
    print(f"seeded in {time.monotonic() - began:.0f} s, {len(requests)} requests", flush=True)


def _run(host: Host, options: argparse.Namespace) -> None:
    from witness import Witness

    application = importlib.import_module(f"{options.application}.requests")
    requests = json.loads(options.plan.read_text(encoding="utf-8"))
    mine = list(enumerate(requests, start=1))[options.worker :: options.workers]
    chance = random.Random(options.worker)
    clients: dict[str, Any] = {}
    for who in sorted({request.get("who", "") for _, request in mine}):
        clients[who] = host.client()
        if who:
            application.login(clients[who], who)
    with options.truth.open("w", encoding="utf-8") as output:
        witness = Witness(output, options.framework, tagged=options.tagged)
        # The first request of a process loads modules and fills caches of the process.
        host.send(clients[mine[0][1].get("who", "")], {"path": mine[0][1]["path"]})
        host.watch(witness)
        print("ready", flush=True)
        sys.stdin.readline()
        for number, request in mine:
            _send(host, witness, clients[request.get("who", "")], number, request)
            if options.think[1]:
                time.sleep(chance.uniform(*options.think))


def _send(host: Host, witness: Any, client: Any, number: int, request: dict[str, Any]) -> None:
    began, before = time.monotonic(), witness.statements
    witness.begin(number, request.get("route", request["path"].partition("?")[0]))
    try:
        status, location = host.send(client, request)
    finally:
        witness.end()
    print(
        json.dumps(
            {
                "request": number,
                "method": request.get("method", "get"),
                "path": request["path"],
                "status": status,
                "location": location,
                "statements": witness.statements - before,
                "ms": round((time.monotonic() - began) * 1000),
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
