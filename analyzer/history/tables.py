"""The tables of a store, as this version of pg95 reads and writes them (docs/history.md).

Migrations make them (`migrations/`); a test holds that both say the same. Columns named `_us` are
µs since 1970 UTC, `_ms` milliseconds. JSON is text, compressed things are bytes.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()
EVERYTHING = 0  # in statement_hour.statement: all of the team's statements together

# One row: which pg95 wrote the store last.
about = sa.Table(
    "about",
    METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

statement = sa.Table(
    "statement",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("shape_id", sa.String, nullable=False, unique=True),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("lineage", sa.String, nullable=False, index=True),
    sa.Column("sql", sa.Text, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("tables", sa.Text, nullable=False),  # JSON
)

# Hours first: nights append, retention takes away from the front, and one statement's rows are found
# by the index beside it. `hours` is 1 or 24: a row of a day has what its hours have, which go first.
statement_hour = sa.Table(
    "statement_hour",
    METADATA,
    sa.Column("start_hour", sa.Integer, primary_key=True, autoincrement=False),  # since 1970
    sa.Column("hours", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("statement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("client", sa.SmallInteger, primary_key=True, autoincrement=False),  # 1: its clock
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("samples", sa.BigInteger, nullable=False),
    sa.Column("untimed", sa.BigInteger, nullable=False),
    sa.Column("total_ms", sa.Double, nullable=False),
    sa.Column("squares", sa.Double),
    sa.Column("min_ms", sa.Double),
    sa.Column("max_ms", sa.Double),
    sa.Column("floor_ms", sa.Double),
    sa.Column("histogram", sa.LargeBinary, nullable=False),
    sa.Index("statement_hour_by_statement", "statement", "start_hour"),
    sqlite_with_rowid=False,
)

run = sa.Table(
    "run",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("log_set", sa.String, nullable=False),
    sa.Column("made_us", sa.BigInteger, nullable=False),
    sa.Column("from_us", sa.BigInteger),
    sa.Column("to_us", sa.BigInteger),
    sa.Column("errors", sa.BigInteger, nullable=False),
    sa.Column("judged", sa.Text, nullable=False),  # JSON: detectors that found something or nothing
    sa.Column("target", sa.Text, nullable=False),  # JSON
)

finding = sa.Table(
    "finding",
    METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("detector", sa.String, nullable=False),
    sa.Column("about", sa.String),  # the lineage whose running shows that it is gone
    sa.Column("scope", sa.String, nullable=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("first_us", sa.BigInteger, nullable=False),
    sa.Column("last_us", sa.BigInteger, nullable=False),
    sa.Column("gone_us", sa.BigInteger),
    sa.Column("facts", sa.Text, nullable=False),  # JSON
)

# A finding in each run that had it.
sighting = sa.Table(
    "sighting",
    METADATA,
    sa.Column("finding", sa.String, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("occurrences", sa.BigInteger),
    sa.Column("executions", sa.BigInteger),
    sa.Column("total_ms", sa.Double),
    sa.Column("saving_ms", sa.Double),
    sqlite_with_rowid=False,
)

snapshot = sa.Table(
    "snapshot",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("server", sa.String, nullable=False),  # its address
    sa.Column("taken_us", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # compressed JSON, texts by number
    sa.Index("snapshot_by_server", "server", "taken_us"),
)

# The statement texts of snapshots, normalised: stored once.
snapshot_text = sa.Table(
    "snapshot_text",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String, nullable=False, unique=True),
    sa.Column("seen_us", sa.BigInteger, nullable=False),
    sa.Column("sql", sa.Text, nullable=False),
)

# What people are still to be told, by the channel that it goes through.
alert = sa.Table(
    "alert",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("made_us", sa.BigInteger, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("message", sa.Text, nullable=False),  # JSON
)

# How far each log of a set was read: what it means is the reader's affair.
position = sa.Table(
    "position",
    METADATA,
    sa.Column("log_set", sa.String, primary_key=True),
    sa.Column("file", sa.String, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # JSON
)
