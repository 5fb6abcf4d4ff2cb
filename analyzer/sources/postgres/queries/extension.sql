-- Whether pg_stat_statements is installed here, in which schema and version, and may be read.
SELECT /* pg95 */
    current_user::text AS role,
    current_database()::text AS database,
    n.nspname AS schema,
    e.extversion AS version,
    (SELECT p.setting FROM pg_catalog.pg_settings AS p WHERE p.name = 'shared_preload_libraries')
        AS preloaded
FROM (SELECT 1) AS one
LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = 'pg_stat_statements'
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
