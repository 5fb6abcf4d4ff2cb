-- Whether pg_stat_statements can be had here, is installed, and is of the version that comes with the server.
SELECT /* pg95 */
    a.default_version,
    e.extversion AS version,
    n.nspname AS schema
FROM (SELECT 1) AS one
LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name = 'pg_stat_statements'
LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = 'pg_stat_statements'
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
