-- pg_stat_statements 1.8: PostgreSQL 13 (execution and planning apart, WAL).
SELECT /* pg95 */
    s.queryid::text AS query_id,
    s.query,
    s.calls,
    s.total_exec_time AS total_ms,
    s.min_exec_time AS min_ms,
    s.max_exec_time AS max_ms,
    s.mean_exec_time AS mean_ms,
    s.stddev_exec_time AS stddev_ms,
    s.rows,
    s.total_plan_time AS planning_ms,
    true AS toplevel,
    s.shared_blks_hit,
    s.shared_blks_read,
    s.temp_blks_written,
    s.wal_bytes::bigint AS wal_bytes,
    s.blk_read_time AS read_ms,
    NULL::timestamptz AS since,
    current_database() AS database,
    r.rolname AS user_name
FROM {schema}.pg_stat_statements AS s
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid
WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
  AND (s.query IS NULL OR pg_catalog.strpos(s.query, '/* pg95 */') = 0)
ORDER BY total_ms DESC
