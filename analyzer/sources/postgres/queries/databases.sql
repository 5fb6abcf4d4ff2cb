-- Databases with what they did since their statistics were reset. `open` tells that this role may connect.
SELECT /* pg95 */
    d.datname AS name,
    d.datallowconn AND NOT d.datistemplate
        AND pg_catalog.has_database_privilege(d.oid, 'CONNECT') AS open,
    d.datistemplate AS template,
    s.xact_commit AS commits,
    s.xact_rollback AS rollbacks,
    s.blks_hit AS blocks_hit,
    s.blks_read AS blocks_read,
    s.temp_bytes,
    s.deadlocks,
    s.stats_reset AS reset
FROM pg_catalog.pg_database AS d
LEFT JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
ORDER BY coalesce(s.xact_commit, 0) DESC, d.datname
