-- How tables are used: one row each (partitions, not what they are partitions of).
SELECT /* pg95 */
    s.relid::bigint AS id,
    s.schemaname AS schema,
    s.relname AS name,
    c.reltuples::bigint AS rows,
    s.n_live_tup AS live_rows,
    s.seq_scan AS seq_scans,
    s.seq_tup_read AS seq_rows,
    coalesce(s.idx_scan, 0) AS index_scans,
    coalesce(s.idx_tup_fetch, 0) AS index_rows,
    s.n_tup_ins AS inserted,
    s.n_tup_upd AS updated,
    s.n_tup_del AS deleted,
    s.n_tup_hot_upd AS hot_updated,
    s.n_dead_tup AS dead_rows,
    greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed,
    greatest(s.last_analyze, s.last_autoanalyze) AS analyzed
FROM pg_catalog.pg_stat_user_tables AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
WHERE c.relkind IN ('r', 'm')
  AND c.relpersistence <> 't'
ORDER BY s.schemaname, s.relname
