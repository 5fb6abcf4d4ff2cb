-- How large tables and indexes were at the last ANALYZE, and are. Pages are of 8,192 bytes wherever.
SELECT /* pg95 */
    n.nspname AS schema,
    c.relname AS name,
    greatest(c.relpages, 0)::bigint * b.blocks AS pages,
    CASE
        WHEN c.relpages <= 0 AND c.reltuples = 0 AND pg_catalog.current_setting('server_version_num')::int < 140000 THEN -1
        ELSE c.reltuples
    END::double precision AS rows,
    greatest(c.relallvisible, 0)::bigint * b.blocks AS all_visible,
    CASE WHEN c.relkind <> 'p' THEN (pg_catalog.pg_relation_size(c.oid) / 8192)::bigint END AS file_pages
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::int / 8192 AS blocks) AS b
WHERE c.relkind IN ('r', 'p', 'm', 'i')
  AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname
