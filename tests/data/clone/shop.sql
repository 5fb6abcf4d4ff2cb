CREATE EXTENSION pg_trgm;
CREATE EXTENSION citext SCHEMA public;
CREATE SCHEMA "Odd Schema";
CREATE TYPE state AS ENUM ('new', 'pa''id', 'sent');
CREATE TYPE "Odd Schema"."Pair" AS (a integer, b text);
CREATE DOMAIN email AS citext CHECK (VALUE ~ '@');
CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
ALTER DATABASE clone_shop SET random_page_cost = 1.5;
ALTER DATABASE clone_shop SET max_parallel_workers_per_gather = 0;
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail email NOT NULL UNIQUE, name text, born date,
    info jsonb, tags text[], pair "Odd Schema"."Pair", double_id integer CHECK (twice(double_id) > 0), created timestamptz DEFAULT now());
INSERT INTO customers (mail, name, born, info, tags, double_id)
SELECT 'user' || n || '@example.com', 'Name ' || n % 1000, date '1950-01-01' + n % 20000, jsonb_build_object('kind', n % 10, 'n', n), ARRAY['t' || n % 50, 'u' || n % 7], n
FROM generate_series(1, 20000) n;
CREATE TABLE orders (id bigint NOT NULL, customer_id bigint NOT NULL REFERENCES customers, state state NOT NULL, at timestamptz NOT NULL,
    total numeric(10,2), tax numeric GENERATED ALWAYS AS (total * 0.2) STORED, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE "Odd Schema".orders_2 PARTITION OF orders FOR VALUES FROM ('2025-07-01') TO (MAXVALUE);
CREATE INDEX orders_customer ON orders (customer_id);
INSERT INTO orders SELECT n, 1 + n % 20000, (ARRAY['new','sent','pa''id'])[1 + n % 3]::state, timestamptz '2025-01-01' + n * interval '5 minutes', n % 1000
FROM generate_series(1, 100000) n;
CREATE TABLE parents (id integer PRIMARY KEY, v integer); CREATE TABLE children (w integer) INHERITS (parents);
INSERT INTO parents SELECT n, n % 10 FROM generate_series(1, 5000) n; INSERT INTO children SELECT n, n % 10, n FROM generate_series(5001, 15000) n;
CREATE TABLE "Odd Schema"."Room Bookings" (room integer NOT NULL, during tstzrange NOT NULL, cancelled boolean DEFAULT false NOT NULL,
    EXCLUDE USING gist (during WITH &&) WHERE (NOT cancelled));
INSERT INTO "Odd Schema"."Room Bookings" SELECT n % 50, tstzrange(timestamptz '2025-01-01' + n * interval '1 hour', timestamptz '2025-01-01' + (n + 1) * interval '1 hour'), n % 10 = 0 FROM generate_series(1, 20000) n;
CREATE INDEX customers_lower ON customers (lower(name));
CREATE INDEX customers_young ON customers (born) WHERE born > '2000-01-01' AND name IS NOT NULL;
CREATE INDEX customers_info ON customers USING gin (info jsonb_path_ops);
CREATE INDEX customers_trgm ON customers USING gin (name gin_trgm_ops);
CREATE INDEX customers_cover ON customers (born) INCLUDE (name);
CREATE MATERIALIZED VIEW by_day AS SELECT at::date AS day, count(*) AS n FROM orders GROUP BY 1;
CREATE UNIQUE INDEX ON by_day (day);
CREATE VIEW b_view AS SELECT id, name FROM customers;
CREATE VIEW a_view AS SELECT c.id, c.name, o.total FROM b_view c JOIN orders o ON o.customer_id = c.id;
CREATE OR REPLACE VIEW b_view AS SELECT id, name, born FROM customers;
VACUUM (ANALYZE);
