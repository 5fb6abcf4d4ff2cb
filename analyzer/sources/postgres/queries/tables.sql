-- Tables, partitioned tables and materialized views, with what is known of their rows and use.
SELECT /* pg95 */
    c.oid::bigint AS id,
    n.nspname AS schema,
    c.relname AS name,
    c.relkind::text AS kind,
    c.reltuples::bigint AS rows,
    greatest(c.relpages, 0)::bigint AS pages,
    pg_catalog.current_setting('block_size')::bigint AS block_bytes,
    i.inhparent::bigint AS parent,
    s.n_live_tup AS live_rows,
    coalesce(s.seq_tup_read, 0) + coalesce(s.idx_tup_fetch, 0) AS reads,
    coalesce(s.n_tup_ins, 0) + coalesce(s.n_tup_upd, 0) + coalesce(s.n_tup_del, 0) AS writes,
    coalesce(s.n_tup_upd, 0) AS updates,
    coalesce(s.n_tup_hot_upd, 0) AS hot_updates
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'm')
  AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname
