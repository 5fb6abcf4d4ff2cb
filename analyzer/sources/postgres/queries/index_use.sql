-- How indexes are used; when last, servers tell from 16 on.
SELECT /* pg95 */
    s.indexrelid::bigint AS id,
    s.schemaname AS schema,
    s.relname AS table_name,
    s.indexrelname AS name,
    s.idx_scan AS scans,
    s.idx_tup_read AS rows_read,
    s.idx_tup_fetch AS rows_fetched,
    (pg_catalog.to_jsonb(s) ->> 'last_idx_scan')::timestamptz AS last_scan
FROM pg_catalog.pg_stat_user_indexes AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
WHERE c.relpersistence <> 't'
ORDER BY s.schemaname, s.relname, s.indexrelname
