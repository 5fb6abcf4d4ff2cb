-- The tables that the plans in this folder were taken on. Statistics are as VACUUM ANALYZE left them.
CREATE TABLE customers (id int PRIMARY KEY, region int, country text, city text, name text);
INSERT INTO customers SELECT g, g % 20, 'c' || g % 20, 't' || g % 20, 'Name ' || g FROM generate_series(1, 20000) g;
CREATE INDEX customers_region ON customers (region);
CREATE TABLE orders (
  id int PRIMARY KEY, customer_id int, status text, amount numeric, created_at timestamptz,
  weight int, points int, note text);
INSERT INTO orders
  SELECT g, 1 + (g * 7919) % 20000, CASE WHEN g % 1000 = 0 THEN 'failed' WHEN g % 10 = 0 THEN 'open' ELSE 'closed' END,
         (g * 31 % 10000) / 100.0, timestamptz '2024-01-01 00:00Z' + g * interval '1 minute',
         (g::bigint * 48271 % 2147483647) % 1000, (g::bigint * 69621 % 2147483647) % 1000, 'n' || g % 150000
  FROM generate_series(1, 200000) g;
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_created ON orders (created_at);
CREATE INDEX orders_weight ON orders (weight);
CREATE INDEX orders_points ON orders (points);
CREATE INDEX orders_status ON orders (status);
CREATE TABLE items (id int PRIMARY KEY, order_id int, product_id int, qty int);
INSERT INTO items SELECT g, 1 + (g::bigint * 7907) % 200000, 1 + (g::bigint * 104729) % 20000, g % 9 FROM generate_series(1, 300000) g;
ALTER TABLE items ALTER product_id SET (n_distinct = 10);
CREATE TABLE stock (product_id int, alt_id int, qty int);
INSERT INTO stock SELECT g, g + 7, g % 50 FROM generate_series(1, 20000) g;
CREATE TABLE small (id int, label text);
INSERT INTO small SELECT g, 'label ' || g FROM generate_series(1, 300) g;
CREATE TABLE fresh (id int PRIMARY KEY, pad text);
INSERT INTO fresh SELECT g, 'pad' FROM generate_series(1, 60000) g;
CREATE TABLE docs (id int, meta jsonb);
INSERT INTO docs SELECT g, jsonb_build_object('a', jsonb_build_object('b', g % 50), 'c', g * 7 % 53, 'd', g * 11 % 59,
  'e', g * 13 % 61, 'f', g * 17 % 67) FROM generate_series(1, 60000) g;
CREATE INDEX docs_meta ON docs USING gin (meta);
CREATE TABLE hollow (id int, pad text);
INSERT INTO hollow SELECT g, repeat('x', 900) FROM generate_series(1, 40000) g;
CREATE TABLE wide (id int PRIMARY KEY, pad text);
ALTER TABLE wide ALTER pad SET STORAGE PLAIN;
INSERT INTO wide SELECT g, repeat('x', 3000) FROM generate_series(1, 3000) g;
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents SELECT g FROM generate_series(1, 1000) g;
CREATE TABLE children (id int PRIMARY KEY, parent_id int CONSTRAINT children_parent_fkey REFERENCES parents);
INSERT INTO children SELECT g, 500 + g % 500 FROM generate_series(1, 40000) g;
CREATE TABLE heirs (id int PRIMARY KEY, owner_id int CONSTRAINT heirs_owner_fkey REFERENCES customers);
INSERT INTO heirs SELECT g, 10000 + g % 10000 FROM generate_series(1, 20000) g;
CREATE INDEX heirs_owner ON heirs (owner_id);
CREATE TABLE readings (day int, sensor int, note text) PARTITION BY RANGE (day);
SELECT format('CREATE TABLE readings_%s PARTITION OF readings FOR VALUES FROM (%s) TO (%s)', g, g * 10, g * 10 + 10) FROM generate_series(0, 7) g \gexec
INSERT INTO readings SELECT g % 80, g % 977, 'r' || g FROM generate_series(1, 120000) g;
CREATE TABLE many (day int, v int) PARTITION BY LIST (day);
SELECT format('CREATE TABLE many_%s PARTITION OF many FOR VALUES IN (%s)', g, g) FROM generate_series(1, 100) g \gexec
INSERT INTO many SELECT 1 + g % 100, g FROM generate_series(1, 3000) g;
CREATE TABLE heavy (id int, pad text);
ALTER TABLE heavy SET (parallel_workers = 0);
INSERT INTO heavy SELECT g, md5(g::text) FROM generate_series(1, 150000) g;
VACUUM ANALYZE;
DELETE FROM hollow WHERE id % 50 <> 0;
ANALYZE hollow;
UPDATE fresh SET pad = 'new';
