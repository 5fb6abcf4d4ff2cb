"""The captures of applications' query logs, and what each is known to hold."""

from pathlib import Path

CAPTURES = Path(__file__).parent.parent / "data/applications"

# By capture: format, executions, requests that are told (traces), whether times and durations are.
KNOWN = {
    "django/default.log": ("django", 29, 0, False, True),
    "django/verbose.log": ("django", 29, 0, True, True),
    "django/server.log": ("django", 29, 4, False, True),
    "sqlalchemy/echo.log": ("sqlalchemy", 25, 0, True, False),
    "sqlalchemy/psycopg2.log": ("sqlalchemy", 25, 0, True, False),
    "sqlalchemy/basic.log": ("sqlalchemy", 25, 0, False, False),
    "sqlalchemy/threads.log": ("sqlalchemy", 37, 0, True, False),
    "rails/development.log": ("rails", 42, 5, True, True),
    "rails/tagged.log": ("rails", 68, 9, True, True),
    "rails/formatter.log": ("rails", 42, 5, True, True),
    "prisma6/query_events.jsonl": ("prisma-events", 28, 0, True, True),
    "prisma6/stdout.txt": ("prisma-stdout", 28, 0, False, False),
    "prisma6/stdout_colour.txt": ("prisma-stdout", 28, 0, False, False),
    "sequelize/plain.log": ("sequelize", 18, 0, False, False),
    "sequelize/benchmark.log": ("sequelize", 18, 0, False, True),
    "typeorm/simple.log": ("typeorm", 18, 0, False, False),
    "typeorm/advanced.log": ("typeorm", 18, 0, False, False),
    "otel/old.jsonl": ("otel-spans", 37, 5, True, True),
    "otel/stable.jsonl": ("otel-spans", 37, 5, True, True),
}
# How often each capture's lazy part ran; its children are 10 each time.
LAZY = {
    "rails/development.log": 3,
    "rails/tagged.log": 5,
    "rails/formatter.log": 3,
    "sqlalchemy/threads.log": 2,
    "prisma6/query_events.jsonl": 2,
    "prisma6/stdout.txt": 2,
    "prisma6/stdout_colour.txt": 2,
    "otel/old.jsonl": 3,
    "otel/stable.jsonl": 3,
    **{f"django/{one}.log": 2 for one in ("default", "verbose", "server")},
}
