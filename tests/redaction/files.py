"""Files that hold planted secrets: applications' logs, plans, schemas, counters, and broken ones of each."""

import json
from pathlib import Path

from planting import SECRETS

_LOG = SECRETS["application_log"]
_BOUND = SECRETS["application_log_parameter"]
_SELECT = f"SELECT id, name FROM authors WHERE id = %s AND note = '{_LOG}'"
_BOOKS = f"SELECT id, author_id FROM books WHERE note <> '{_LOG}' LIMIT 10"


def application_logs() -> dict[str, str]:
    """Query logs of applications by name, each with an N+1: literals in texts, and bound values."""
    children = [(number, _SELECT.replace("%s", str(number))) for number in range(1, 11)]
    django = [f"(0.001) {_BOOKS}; args=('{_BOUND}',); alias=default"]
    django += [f"(0.001) {text}; args=({n}, '{_BOUND}'); alias=default" for n, text in children]
    sequelize = [f"Executed (default): {_BOOKS}; Elapsed time: 3ms"]
    sequelize += [f"Executed (default): {text}; Elapsed time: 2ms" for _, text in children]
    typeorm = [f"query: {_BOOKS}"]
    typeorm += [
        f'query: {_SELECT.replace("%s", "$1")} -- PARAMETERS: [{n},"{_BOUND}"]' for n, _ in children
    ]
    sqlalchemy = ["2026-11-26 23:06:27,714 INFO sqlalchemy.engine.Engine BEGIN (implicit)"]
    for n, _ in children:
        start = "2026-11-26 23:06:27,714 INFO sqlalchemy.engine.Engine"
        sqlalchemy += [
            f"{start} {_SELECT.replace('%s', '%(id)s')}",
            f"{start} [generated in 0.00013s] {{'id': {n}, 'note': '{_BOUND}'}}",
        ]
    prisma = [
        json.dumps(
            {
                "timestamp": f"2026-11-26T23:17:15.{n:03}Z",
                "duration": 1.5,
                "query": _SELECT.replace("%s", "$1") if n else _BOOKS,
                "params": json.dumps([str(n), _BOUND]),
                "target": "quaint::connector::metrics",
            }
        )
        for n in range(11)
    ]
    rails = [f'Started GET "/books?token={_BOUND}" for 198.51.100.37 at 2026-11-26 23:07:41 +0000']
    rails += [f"  Book Load (0.3ms)  {_BOOKS}"]
    rails += [
        f'  Author Load (0.2ms)  {_SELECT.replace("%s", "$1")}  [["id", {n}], ["note", "{_BOUND}"]]'
        for n, _ in children
    ]
    logs = {"django": django, "sequelize": sequelize, "typeorm": typeorm, "sqlalchemy": sqlalchemy}
    logs |= {"prisma": prisma, "rails": rails}
    return {f"{name}.log": "\n".join(lines) + "\n" for name, lines in logs.items()}


def broken() -> dict[str, str]:
    """Inputs of each kind that cannot be read, or not to the end, with secrets where they break."""
    word = SECRETS["unparsed_line"]
    line = (
        '2026-11-27 10:00:00.000 UTC,"postgres","leaks",1,"198.51.100.37:1",66e,1,"SELECT",'
        f"2026-11-27 10:00:00 UTC,3/1,0,LOG,00000,\"duration: 1 ms  statement: SELECT '{word}"
    )
    return {
        "garbage.log": f"Dear diary '{word}', token={word}, {word}@mail.example\n" * 3,
        "half.csv": line + "\n",
        "statement.log": f"at 10:00 SELECT * FROM users WHERE name = {word}\n",
        "unknown.jsonl": f'{{"time": "2026-11-26T23:27:30Z", "secret": "{word}", "a": {{"b": "{word}"}}}}\n',
        "cut.jsonl": f'{{"timestamp":"2026-11-22 08:00:00.005 UTC","user":"app","message":"{word}\n',
        "counters.csv": f'queryid,query,calls,total_exec_time\n1,"SELECT \'{word}\'",many,"{word}"\n',
        "schema.sql": f"CREATE TABLE t (a int DEFAULT '{word}';\nINSERT INTO t VALUES ('{word}');\n",
        "plan.json": json.dumps([{"Plan": {"Node Type": "Seq Scan", "Total Cost": word}}]),
    }


PRISMA = """
datasource db {{
  provider = "postgresql"
  url      = "postgresql://app:{prisma_url}@db.example/app"
}}
/// {prisma_comment}
model customers {{
  id    BigInt  @id
  email String? @unique
  note  String? @default("{prisma_default}")
}}
"""


def write(folder: Path, texts: dict[str, str]) -> list[Path]:
    """The texts as files of a new folder."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
    return sorted(folder.iterdir())
