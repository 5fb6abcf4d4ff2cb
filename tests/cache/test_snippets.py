"""The middlewares that log reads of a cache: each run by its own client, on a real Redis, and read by pg95."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from tests.prisma7 import modules

PROGRAM = """
import {{ setTimeout }} from "node:timers/promises";
{client}
import {{ logReads, routes }} from "./{name}.mjs";
const client = logReads(made, "reads.jsonl");
await client.flushall?.() ?? await client.flushAll();
await client.set("user:42:name", "x");
await client.{hset}("user:7", "a", "b");
const seen = await routes.run("GET /users", async () => [
  await client.get("user:42:name"), await client.get("user:43:name"), await client.{mget}(["user:42:name", "none:1"]),
]);
await routes.run("GET /one", async () => {{
  seen.push(await client.{hgetall}("user:7"), await client.{hgetall}("user:8"), await client.{hget}("user:7", "a"));
  await client.{getex}("user:42:name", {ex});
}});
console.log(JSON.stringify(seen));
await setTimeout(100);
process.exit(0);
"""
CLIENTS = {
    "node-redis": {
        "client": 'import {{ createClient }} from "redis";\nconst made = await createClient({{ url: process.argv[2] }}).connect();',
        "hset": "hSet", "mget": "mGet", "hget": "hGet", "hgetall": "hGetAll", "getex": "getEx",
        "ex": '{ type: "EX", value: 60 }',
    },
    "ioredis": {
        "client": 'import {{ Redis }} from "ioredis";\nconst made = new Redis(process.argv[2]);',
        "hset": "hset", "mget": "mget", "hget": "hget", "hgetall": "hgetall", "getex": "getex",
        "ex": '"EX", 60',
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CLIENTS)
def test_reads_are_logged_by_route_and_answers_stay(
    name: str, redis_url: str, tmp_path: Path
) -> None:
    place = modules()
    (tmp_path / "node_modules").symlink_to(place / "node_modules")
    snippet = CliRunner().invoke(cli, ["cache", "--snippet", name])
    (tmp_path / f"{name}.mjs").write_text(snippet.stdout, encoding="utf-8")
    words = {key: text.replace("{{", "{").replace("}}", "}") for key, text in CLIENTS[name].items()}
    (tmp_path / "program.mjs").write_text(PROGRAM.format(name=name, **words), encoding="utf-8")
    done = subprocess.run(
        [place / "node" / "bin" / "node", "program.mjs", redis_url],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["x", None, ["x", None], {"a": "b"}, {}, "b"]
    lines = [json.loads(line) for line in (tmp_path / "reads.jsonl").read_text().splitlines()]
    assert {tuple(sorted(line)) for line in lines} == {("hit", "key_prefix", "op", "route", "ts")}
    assert [(line["op"], line["key_prefix"], line["hit"]) for line in lines] == [
        ("get", "user:*:name", True), ("get", "user:*:name", False), ("mget", "user:*:name", True),
        ("mget", "none:*", False), ("hgetall", "user:*", True), ("hgetall", "user:*", False),
        ("hget", "user:*", True), ("getex", "user:*:name", True),
    ]  # fmt: skip
    found = CliRunner().invoke(cli, ["cache", str(tmp_path / "reads.jsonl"), "--format", "json"])
    uses = {
        use["name"]: (use["reads"], use["hits"])
        for use in json.loads(found.stdout)["hit_rate"]["uses"]
    }
    assert uses == {"GET /users": (4, 2), "GET /one": (4, 3)}
