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
    s.n_mod_since_analyze AS modified,
    greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed,
    greatest(s.last_analyze, s.last_autoanalyze) AS analyzed,
    CASE WHEN c.relfrozenxid <> '0' THEN pg_catalog.age(c.relfrozenxid)::bigint END AS xid_age,
    pg_catalog.current_setting('autovacuum_freeze_max_age')::bigint AS freeze_max_age,
    NOT EXISTS (
        SELECT FROM unnest(c.reloptions) AS o (text)
        WHERE o.text IN ('autovacuum_enabled=off', 'autovacuum_enabled=false', 'autovacuum_enabled=0')
    ) AS autovacuum,
    (
        SELECT pg_catalog.split_part(o.text, '=', 2)::int
        FROM unnest(c.reloptions) AS o (text)
        WHERE o.text LIKE 'fillfactor=%'
    ) AS fillfactor,
    coalesce(i.heap_blks_hit, 0) + coalesce(i.toast_blks_hit, 0) + coalesce(i.idx_blks_hit, 0)
        + coalesce(i.tidx_blks_hit, 0) AS blocks_hit,
    coalesce(i.heap_blks_read, 0) + coalesce(i.toast_blks_read, 0) + coalesce(i.idx_blks_read, 0)
        + coalesce(i.tidx_blks_read, 0) AS blocks_read
FROM pg_catalog.pg_stat_user_tables AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
LEFT JOIN pg_catalog.pg_statio_user_tables AS i ON i.relid = s.relid
WHERE c.relkind IN ('r', 'm')
  AND c.relpersistence <> 't'
ORDER BY s.schemaname, s.relname
