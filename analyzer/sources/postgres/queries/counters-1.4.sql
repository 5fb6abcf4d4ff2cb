-- pg_stat_statements 1.4: PostgreSQL 9.6 to 12, and later servers whose extension was not updated.
-- All databases of the server, without texts: these are asked for apart, and only where they are not known.
SELECT /* pg95 */
    s.dbid::bigint AS database_id,
    s.userid::bigint AS user_id,
    s.queryid::text AS query_id,
    s.calls,
    s.total_time AS total_ms,
    s.min_time AS min_ms,
    s.max_time AS max_ms,
    s.mean_time AS mean_ms,
    s.stddev_time AS stddev_ms,
    s.rows,
    true AS toplevel,
    NULL::bigint AS plans,
    NULL::double precision AS planning_ms,
    s.shared_blks_hit,
    s.shared_blks_read,
    s.shared_blks_dirtied,
    s.shared_blks_written,
    s.temp_blks_read,
    s.temp_blks_written,
    s.blk_read_time AS read_ms,
    s.blk_write_time AS write_ms,
    NULL::bigint AS wal_records,
    NULL::bigint AS wal_bytes,
    NULL::double precision AS jit_ms,
    NULL::timestamptz AS since,
    NULL::timestamptz AS minmax_since,
    d.datname AS database,
    r.rolname AS user_name
FROM {schema}.pg_stat_statements(false) AS s
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid
WHERE %(every_database)s OR d.datname = current_database()
ORDER BY total_ms DESC
