-- Sizes on disk. Measuring waits for tables that are locked exclusively, hence a query of its own.
SELECT /* pg95 */
    c.oid::bigint AS id,
    CASE
        WHEN c.relkind IN ('i', 'I') THEN pg_catalog.pg_relation_size(c.oid)
        ELSE pg_catalog.pg_total_relation_size(c.oid)
    END AS bytes,
    pg_catalog.pg_relation_size(c.oid) AS main_bytes,
    CASE WHEN c.relkind <> 'i' THEN pg_catalog.pg_indexes_size(c.oid) END AS index_bytes
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'i')
  AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
