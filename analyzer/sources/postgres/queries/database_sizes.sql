-- Sizes of the databases that this role may measure; their files are looked at, hence a query of its own.
SELECT /* pg95 */ d.datname AS name, pg_catalog.pg_database_size(d.oid) AS bytes
FROM pg_catalog.pg_database AS d
WHERE pg_catalog.has_database_privilege(d.oid, 'CONNECT')
   OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
