-- Whether HypoPG is installed here, in which schema and version.
SELECT /* pg95 */
    current_database()::text AS database,
    n.nspname::text AS schema,
    e.extversion AS version
FROM (SELECT 1) AS one
LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = 'hypopg'
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
