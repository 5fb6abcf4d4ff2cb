"""Drives one process of an application. Runs in the application's own virtualenv.

    drive.py APPLICATION seed PLAN            migrate an empty database, fill it, write the requests
    drive.py APPLICATION run PLAN --truth T   send this worker's share of the requests

The application's folder gives `settings.py` (DJANGO_SETTINGS_MODULE), `seed.py` with `seed()`, and
`requests.py` with `plan()`, the requests as JSON, and `login(client, who)`.
"""

import argparse
import importlib
import json
import os
import random
import sys
import time
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
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
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{options.application}.settings"
    warnings.simplefilter("ignore")
    import django

    django.setup()
    if options.job == "seed":
        _seed(options)
    else:
        _run(options)


def _seed(options: argparse.Namespace) -> None:
    from django.core.management import call_command
    from django.db import connection

    random.seed(7)
    began = time.monotonic()
    call_command("migrate", verbosity=0, run_syncdb=True)
    print(f"migrated in {time.monotonic() - began:.0f} s", flush=True)
    importlib.import_module(f"{options.application}.seed").seed()
    requests = importlib.import_module(f"{options.application}.requests").plan()
    options.plan.write_text(json.dumps(requests, indent=1), encoding="utf-8")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"seeded in {time.monotonic() - began:.0f} s, {len(requests)} requests", flush=True)


def _run(options: argparse.Namespace) -> None:
    from django.test import Client
    from witness import Witness

    application = importlib.import_module(f"{options.application}.requests")
    requests = json.loads(options.plan.read_text(encoding="utf-8"))
    mine = list(enumerate(requests, start=1))[options.worker :: options.workers]
    chance = random.Random(options.worker)
    clients: dict[str, Any] = {}
    for who in sorted({request.get("who", "") for _, request in mine}):
        clients[who] = Client(raise_request_exception=False, headers={"host": "localhost"})
        if who:
            application.login(clients[who], who)
    with options.truth.open("w", encoding="utf-8") as output:
        witness = Witness(output, tagged=options.tagged)
        # The first request of a process loads modules and fills caches of the process.
        clients[mine[0][1].get("who", "")].get(mine[0][1]["path"])
        witness.install()
        print("ready", flush=True)
        sys.stdin.readline()
        for number, request in mine:
            _send(witness, clients[request.get("who", "")], number, request)
            if options.think[1]:
                time.sleep(chance.uniform(*options.think))


def _send(witness: Any, client: Any, number: int, request: dict[str, Any]) -> None:
    began, before = time.monotonic(), witness.statements
    method = request.get("method", "get")
    extra = {}
    if "data" in request:
        extra["data"] = request["data"]
    if "json" in request:
        extra["data"], extra["content_type"] = json.dumps(request["json"]), "application/json"
    if "headers" in request:
        extra["headers"] = request["headers"]
    witness.begin(number, request.get("route", request["path"].partition("?")[0]))
    try:
        response = getattr(client, method)(request["path"], **extra)
        if getattr(response, "streaming", False):
            b"".join(response.streaming_content)
    finally:
        witness.end()
    print(
        json.dumps(
            {
                "request": number,
                "method": method,
                "path": request["path"],
                "status": response.status_code,
                "location": response.headers.get("location"),
                "statements": witness.statements - before,
                "ms": round((time.monotonic() - began) * 1000),
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
