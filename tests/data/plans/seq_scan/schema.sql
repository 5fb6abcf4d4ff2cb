-- The tables that the plans in this folder were taken on (PostgreSQL 15, default settings).
CREATE TABLE customers (id int PRIMARY KEY, email varchar(80) NOT NULL, name text NOT NULL);
INSERT INTO customers SELECT g, 'user' || g || '@example.org', 'Name ' || md5(g::text)
  FROM generate_series(1, 300000) g;
CREATE TABLE orders (
  id bigserial PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, amount numeric NOT NULL,
  created_at timestamptz NOT NULL, shipped_on date, deleted_at timestamptz, paid boolean NOT NULL,
  meta jsonb NOT NULL, "trackingCode" uuid NOT NULL);
INSERT INTO orders (customer_id, status, amount, created_at, deleted_at, paid, meta, "trackingCode")
  SELECT 1 + g % 20000,
         CASE WHEN g % 1000 = 0 THEN 'failed' WHEN g < 380000 THEN 'closed' ELSE 'open' END,
         (g % 10000) / 100.0, timestamptz '2024-01-01 00:00Z' + g * interval '1 minute',
         CASE WHEN g % 10 = 0 THEN timestamptz '2025-01-01 00:00Z' END, g % 3 <> 0,
         jsonb_build_object('source', CASE WHEN g % 5000 = 0 THEN 'fax' ELSE 'web' END),
         ('00000000-0000-4000-8000-' || lpad(to_hex(g), 12, '0'))::uuid
  FROM generate_series(1, 400000) g;
CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
INSERT INTO countries SELECT 'c' || g, 'Country ' || g FROM generate_series(1, 250) g;
CREATE TABLE wide (id int PRIMARY KEY, tag text NOT NULL, pad text NOT NULL);
ALTER TABLE wide ALTER pad SET STORAGE PLAIN;
INSERT INTO wide SELECT g, 'tag' || g, repeat('x', 7000) FROM generate_series(1, 8000) g;
VACUUM ANALYZE;
