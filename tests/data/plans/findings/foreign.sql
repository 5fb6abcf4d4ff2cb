-- A table, and the same table seen through postgres_fdw; in a database of its own, as not every server has the extension.
CREATE TABLE orders (id int PRIMARY KEY, note text);
INSERT INTO orders SELECT g, 'n' || g % 150000 FROM generate_series(1, 200000) g;
CREATE EXTENSION postgres_fdw;
SELECT format('CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)', host(inet_server_addr()), inet_server_port(), current_database()) \gexec
CREATE USER MAPPING FOR CURRENT_USER SERVER loop OPTIONS (user 'postgres');
CREATE FOREIGN TABLE foreign_orders (id int, note text) SERVER loop OPTIONS (table_name 'orders');
CREATE FUNCTION slow_label(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lower($1); END';
VACUUM ANALYZE;
