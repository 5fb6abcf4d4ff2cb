"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables of an empty store."""
    _statements()
    _runs()
    _snapshots()


def _statements() -> None:
    op.create_table(
        "about",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "statement",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("shape_id", sa.String, nullable=False, unique=True),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("lineage", sa.String, nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("tables", sa.Text, nullable=False),
    )
    op.create_index("ix_statement_lineage", "statement", ["lineage"])
    op.create_table(
        "statement_hour",
        sa.Column("start_hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hours", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("statement", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("client", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.BigInteger, nullable=False),
        sa.Column("untimed", sa.BigInteger, nullable=False),
        sa.Column("total_ms", sa.Double, nullable=False),
        sa.Column("squares", sa.Double),
        sa.Column("min_ms", sa.Double),
        sa.Column("max_ms", sa.Double),
        sa.Column("floor_ms", sa.Double),
        sa.Column("histogram", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("statement_hour_by_statement", "statement_hour", ["statement", "start_hour"])


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("log_set", sa.String, nullable=False),
        sa.Column("made_us", sa.BigInteger, nullable=False),
        sa.Column("from_us", sa.BigInteger),
        sa.Column("to_us", sa.BigInteger),
        sa.Column("errors", sa.BigInteger, nullable=False),
        sa.Column("judged", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
    )
    op.create_table(
        "finding",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("detector", sa.String, nullable=False),
        sa.Column("about", sa.String),
        sa.Column("scope", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("first_us", sa.BigInteger, nullable=False),
        sa.Column("last_us", sa.BigInteger, nullable=False),
        sa.Column("gone_us", sa.BigInteger),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_table(
        "sighting",
        sa.Column("finding", sa.String, primary_key=True),
        sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("occurrences", sa.BigInteger),
        sa.Column("executions", sa.BigInteger),
        sa.Column("total_ms", sa.Double),
        sa.Column("saving_ms", sa.Double),
        sqlite_with_rowid=False,
    )


def _snapshots() -> None:
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("server", sa.String, nullable=False),
        sa.Column("taken_us", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("snapshot_by_server", "snapshot", ["server", "taken_us"])
    op.create_table(
        "snapshot_text",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
    )
    op.create_table(
        "position",
        sa.Column("log_set", sa.String, primary_key=True),
        sa.Column("file", sa.String, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
    )
