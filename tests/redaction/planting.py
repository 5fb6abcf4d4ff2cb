"""Secrets, planted where an application or its users leave them: a server's catalog and its three logs.

`SECRETS` names each kind with a text that is found nowhere else. What is planted is real: a server
writes the logs, and prints the plans.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

# Kinds by where the value stands. Texts are words that look like names, the hardest case.
SECRETS = {
    kind: f"zq{number:02d}leak"
    for number, kind in enumerate(
        (
            *("string", "escape_string", "unicode_string", "dollar_quote", "tagged_dollar_quote"),
            *("line_comment", "block_comment", "nested_comment", "comment_tag", "route_segment"),
            *("route_query", "parameter", "error_parameter", "unique_key", "foreign_key"),
            *("failing_row", "invalid_syntax", "syntax_error", "copy_data", "raised_message"),
            *(
                "raised_detail",
                "jsonb",
                "json_path",
                "array",
                "like_pattern",
                "in_list",
                "values_row",
            ),
            *("bit_string", "plan_condition", "plan_parameter", "setting_quoted"),
            *("setting_bare", "role_password", "user_mapping", "connection_string", "dblink_error"),
            *("do_block", "copy_path", "copy_program", "notify", "prepared_transaction"),
            *("application_token", "deadlock_detail", "default"),
            *("check", "partial_predicate", "expression_index", "table_comment", "enum_label"),
            *(
                "partition_bound",
                "view",
                "function_body",
                "generated",
                "search_path",
            ),
            *("prisma_default", "prisma_comment", "prisma_url"),
            *("application_log", "application_log_parameter", "unparsed_line"),
            *("quoted_value", "cursor_literal", "explain_statement", "policy", "trigger_when"),
            *("subscription", "server_option", "route_path_token"),
        )
    )
}
NUMBERS = {"number": 706_150_339_101, "decimal": 706_150_339_102, "negative": 706_150_339_103}
ADDRESSES = {
    "inet_literal": "198.51.100.37",
    "ipv6_literal": "2001:db8:7061:5033::37",
    "host_in_message": "db-zq97leak.internal.example",
    "email": "zq98leak.person@mail.example",
}

SCHEMA = """
CREATE TYPE mood AS ENUM ('happy', '{enum_label}');
CREATE TABLE customers (
  id bigint PRIMARY KEY, email text UNIQUE, note text DEFAULT '{default}', mood mood,
  status text CONSTRAINT known_status CHECK (status <> '{check}'), payload jsonb, address inet,
  label text GENERATED ALWAYS AS (note || '{generated}') STORED
);
COMMENT ON TABLE customers IS '{table_comment}';
CREATE INDEX customers_open ON customers (note) WHERE status = '{partial_predicate}';
CREATE INDEX customers_open_again ON customers (note) WHERE status = '{partial_predicate}';
CREATE INDEX customers_path ON customers ((payload ->> '{expression_index}'));
CREATE TABLE orders (
  id bigint PRIMARY KEY, customer_id bigint REFERENCES customers (id), code text, amount numeric
);
CREATE TABLE events (tenant text, at timestamptz) PARTITION BY LIST (tenant);
CREATE TABLE events_one PARTITION OF events FOR VALUES IN ('{partition_bound}');
CREATE VIEW open_customers AS SELECT * FROM customers WHERE note <> '{view}';
CREATE FUNCTION greet() RETURNS text LANGUAGE sql AS $$ SELECT '{function_body}' $$;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER noted BEFORE UPDATE ON orders FOR EACH ROW WHEN (new.code = '{trigger_when}')
  EXECUTE FUNCTION noted();
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (code <> '{policy}');
"""

FILL = """
INSERT INTO customers (id, email, status, payload, address)
  SELECT n, n || '@example.org', CASE WHEN n % 5000 = 0 THEN 'rare' ELSE 'usual' END, '{{}}', '10.0.0.1'
  FROM generate_series(1, 20000) n;
INSERT INTO customers (id, email, payload) VALUES (-1, '{unique_key}', '{{"{json_path}": 1}}');
INSERT INTO orders SELECT n, n % 20000 + 1, 'c' || n, n FROM generate_series(1, 60000) n;
INSERT INTO events VALUES ('{partition_bound}', now());
ANALYZE;
"""

# Each statement is run by itself; what fails is meant to fail.
STATEMENTS = (
    "SELECT count(*) FROM customers WHERE note = '{string}' OR note = E'\\x41{escape_string}\\n'",
    "SELECT count(*) FROM customers WHERE note = U&'\\0041{unicode_string}'",
    "SELECT count(*) FROM customers WHERE note IN ($${dollar_quote}$$, $tag$ '{tagged_dollar_quote}' $tag$)",
    "SELECT 1 -- {line_comment}\n FROM customers /* {block_comment} */ /* a /* {nested_comment} */ b */",
    "SELECT count(*) FROM customers WHERE payload @> '{{\"token\": \"{jsonb}\"}}'::jsonb OR payload ? '{json_path}'",
    "SELECT count(*) FROM customers WHERE note = ANY ('{{{array},b}}'::text[]) OR note LIKE '%{like_pattern}%'",
    "SELECT count(*) FROM customers WHERE note IN ('{in_list}', 'b', 'c')",
    "INSERT INTO orders (id, customer_id, code) VALUES (-1, 1, '{values_row}'), (-2, 1, 'x')",
    "SELECT B'1', X'ab', N'{bit_string}', date '2020-01-01'",
    "SELECT count(*) FROM orders WHERE amount IN ({number}, {decimal}.5, -{negative}, {number}e3)",
    "SELECT count(*) FROM customers WHERE address IN ('{inet_literal}', '{ipv6_literal}') OR email = '{email}'",
    "SELECT id FROM customers /*route='%2Faccounts%2F{route_segment}@mail.example%2Forders%3Ftoken%3D{route_query}',user='{comment_tag}'*/",
    "SELECT email FROM customers WHERE id = 3 /*path='/invite/{route_path_token}9f8e7d6c5b4a39f8e7d6c5b4a3/accept'*/",
    "INSERT INTO customers (id, email) VALUES (-5, '{unique_key}')",
    "INSERT INTO orders (id, customer_id, code) VALUES (-9, 770011220033, '{foreign_key}')",
    "INSERT INTO customers (id, email, status) VALUES (-6, '{failing_row}', '{check}')",
    "SELECT '{invalid_syntax}'::int",
    "SELECT 1 FROM customers WHERE id = '{invalid_syntax}'",
    "SELECT * FROM customers WHERE note = {syntax_error} {syntax_error} 1",
    'SELECT * FROM customers WHERE email = "{quoted_value}@mail.example"',
    "DO $$ BEGIN RAISE EXCEPTION 'refused {raised_message}' USING DETAIL = 'because {raised_detail}'; END $$",
    "DO $$ BEGIN PERFORM '{do_block}'; END $$",
    "SET myapp.token = '{setting_quoted}'",
    "SET otherapp.token TO {setting_bare}",
    "SET search_path TO public, {search_path}",
    "CREATE ROLE {role}_zq PASSWORD '{role_password}'",
    "DROP ROLE IF EXISTS {role}_zq",
    "CREATE SERVER zq FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{server_option}', dbname 'a')",
    "CREATE USER MAPPING FOR postgres SERVER zq OPTIONS (user 'a', password '{user_mapping}')",
    "CREATE SUBSCRIPTION zq CONNECTION 'host=127.0.0.1 port=9 password={subscription}' PUBLICATION p",
    "SELECT * FROM dblink('host=127.0.0.1 port=9 dbname=a password={connection_string}', 'SELECT 1') t(a int)",
    "SELECT * FROM dblink('host={host_in_message} dbname={dblink_error}', 'SELECT 1') t(a int)",
    "COPY customers (note) TO '/nonexistent/{copy_path}.csv'",
    "COPY customers (note) FROM PROGRAM 'cat /nonexistent/{copy_program}'",
    "NOTIFY news, '{notify}'",
    "PREPARE TRANSACTION '{prepared_transaction}'",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1 FROM customers WHERE note = '{cursor_literal}'",
    "EXPLAIN SELECT 1 FROM customers WHERE note = '{explain_statement}'",
)


def values() -> dict[str, str]:
    """All planted texts by kind, as `str.format` takes them."""
    return {
        **SECRETS,
        **{kind: str(number) for kind, number in NUMBERS.items()},
        **ADDRESSES,
        "role": "zqrole",
    }


def plant_catalog(dsn: str) -> None:
    """Tables whose definitions hold secrets, and rows that do."""
    with psycopg.connect(dsn, autocommit=True, application_name="setup") as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS dblink")
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgres_fdw")
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        for script in (SCHEMA, FILL):
            connection.execute(script.format(**values()).encode())


@contextmanager
def speaking(dsn: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A session of an application whose name holds a token, with plans and parameters logged."""
    name = f"worker sk_live_{SECRETS['application_token']}4eC39HqLyjWD"
    with psycopg.connect(dsn, autocommit=True, application_name=name) as connection:
        for setting in (
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_settings = on",
            "log_parameter_max_length_on_error = -1",
            "deadlock_timeout = '20ms'",
            "log_lock_waits = on",
        ):
            connection.execute(f"SET {setting}")
        yield connection


def plant_traffic(dsn: str) -> None:
    """Statements that hold secrets, loops of them, errors that quote them, and waits."""
    with speaking(dsn) as connection:
        for text in STATEMENTS:
            _try(connection, text.format(**values()))
        _bind(connection)
        _copy(connection)
        _loops(connection)
        _wait(connection, dsn)


def _try(connection: "psycopg.Connection[tuple[object, ...]]", text: str) -> None:
    with suppress(psycopg.errors.Error):  # what is meant to fail; the server logs it
        connection.execute(text.encode())
    assert not connection.closed, text


def _bind(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute("SELECT id FROM customers WHERE note = %s", (SECRETS["parameter"],))
    connection.execute(
        "SELECT count(*) FROM orders WHERE code = %s OR amount < 5", (SECRETS["plan_parameter"],)
    )
    try:
        connection.execute(
            "SELECT 1 / (count(*) - 20001) FROM customers WHERE email <> %s",
            (SECRETS["error_parameter"],),
        )
    except psycopg.errors.DivisionByZero:
        return
    raise AssertionError("the division was to fail")


def _copy(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    try:
        with connection.cursor().copy("COPY orders (id, code) FROM STDIN") as copy:
            copy.write(f"{SECRETS['copy_data']}\tx\n".encode())
    except psycopg.errors.InvalidTextRepresentation:
        return
    raise AssertionError("the copy was to fail")


def _loops(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """An N+1, the same query again and again, scans that a literal selects by, and deep pages."""
    tag = f"/*route='/accounts/{SECRETS['route_segment']}@mail.example/orders',user='{SECRETS['comment_tag']}'*/"
    word = SECRETS["plan_condition"]
    for start in range(1, 4):
        parents = connection.execute(
            f"SELECT id, email FROM customers WHERE id BETWEEN {start} AND {start + 11} "
            f"AND note <> '{word}' {tag}".encode()
        ).fetchall()
        for row in parents:
            connection.execute(
                f"SELECT id, code FROM orders WHERE customer_id = %s AND code <> '{word}' {tag}".encode(),
                (row[0],),
            )
    for _ in range(8):
        connection.execute(
            f"SELECT mood FROM customers WHERE note = '{SECRETS['string']}' {tag}".encode()
        )
        connection.execute(f"SELECT id FROM orders WHERE code = '{word}' ORDER BY amount".encode())
        connection.execute(f"SELECT id FROM orders WHERE lower(code) = '{word}'".encode())
        connection.execute(f"SELECT id FROM orders ORDER BY id LIMIT 5 OFFSET {4000}".encode())


def _wait(connection: "psycopg.Connection[tuple[object, ...]]", dsn: str) -> None:
    """A lock that another session waits for, with a secret in the statement that waits."""
    word = SECRETS["deadlock_detail"]
    with psycopg.connect(dsn, application_name="other") as other:
        other.execute("UPDATE orders SET amount = 1 WHERE id = 1")
        connection.execute("SET lock_timeout = '60ms'")
        _try(connection, f"UPDATE orders SET code = '{word}' WHERE id = 1")
        connection.execute("SET lock_timeout = 0")
        other.rollback()
