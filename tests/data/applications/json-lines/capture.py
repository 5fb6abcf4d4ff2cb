"""The program whose log is here: an application that writes its own JSON lines, one for each statement.

    DSN=… python capture.py > queries.jsonl

Captured with psycopg 3.3 and PostgreSQL 15 on the tables of schema.sql. Read it with

    pg95 nplusone queries.jsonl --map ts=time,sql=query.text,duration=query.elapsed_us,parameters=query.params,\
rows=query.rows,request=http.request_id,route=http.route,user=db.user,database=db.name,application=app
"""

import json
import os
import time
import uuid
from datetime import UTC, datetime

import psycopg


def log(**fields):
    print(json.dumps({"time": datetime.now(UTC).isoformat(), "app": "shop", **fields}))


def execute(connection, request, sql, *parameters):
    begun = time.perf_counter()
    rows = connection.execute(sql, parameters).fetchall()
    took = round((time.perf_counter() - begun) * 1e6)
    numbered = sql
    for n in range(len(parameters)):
        numbered = numbered.replace("%s", f"${n + 1}", 1)
    log(
        level="debug",
        db={"user": "postgres", "name": connection.info.dbname},
        http=request,
        query={"text": numbered, "params": list(parameters), "elapsed_us": took, "rows": len(rows)},
    )
    return rows


BOOKS = "SELECT id, title, author_id FROM books ORDER BY id LIMIT %s"


def lazy(connection, request):
    """11 statements: 10 books, and the author of each."""
    for _, _, author in execute(connection, request, BOOKS, 10):
        execute(connection, request, "SELECT id, name FROM authors WHERE id = %s", author)


def eager(connection, request):
    """2 statements: 10 books, and all their authors."""
    ids = [author for _, _, author in execute(connection, request, BOOKS, 10)]
    execute(connection, request, "SELECT id, name FROM authors WHERE id = ANY(%s)", ids)


with psycopg.connect(os.environ["DSN"], autocommit=True) as connection:
    for part in (lazy, eager, lazy):
        request = {"request_id": str(uuid.uuid4()), "route": f"/{part.__name__}"}
        log(level="info", message="begin", http=request)
        part(connection, request)
