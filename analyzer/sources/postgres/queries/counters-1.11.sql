-- pg_stat_statements 1.11: PostgreSQL 17 and 18 (stats_since, block times renamed; 1.12 adds parallel workers).
-- All databases of the server, without texts: these are asked for apart, and only where they are not known.
SELECT /* pg95 */
    s.dbid::bigint AS database_id,
    s.userid::bigint AS user_id,
    s.queryid::text AS query_id,
    s.calls,
    s.total_exec_time AS total_ms,
    s.min_exec_time AS min_ms,
    s.max_exec_time AS max_ms,
    s.mean_exec_time AS mean_ms,
    s.stddev_exec_time AS stddev_ms,
    s.rows,
    s.toplevel AS toplevel,
    s.plans AS plans,
    s.total_plan_time AS planning_ms,
    s.shared_blks_hit,
    s.shared_blks_read,
    s.shared_blks_dirtied,
    s.shared_blks_written,
    s.temp_blks_read,
    s.temp_blks_written,
    s.shared_blk_read_time AS read_ms,
    s.shared_blk_write_time AS write_ms,
    s.wal_records AS wal_records,
    s.wal_bytes::bigint AS wal_bytes,
    s.jit_generation_time + s.jit_inlining_time + s.jit_optimization_time + s.jit_emission_time + s.jit_deform_time AS jit_ms,
    s.stats_since AS since,
    s.minmax_stats_since AS minmax_since,
    d.datname AS database,
    r.rolname AS user_name
FROM {schema}.pg_stat_statements(false) AS s
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid
WHERE %(every_database)s OR d.datname = current_database()
ORDER BY total_ms DESC
