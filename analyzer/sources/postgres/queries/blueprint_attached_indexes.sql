-- Which indexes are partitions' parts of a partitioned table's.
SELECT /* pg95 */
    pg_catalog.format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', q.nspname, p.relname, n.nspname, x.relname) AS statement
FROM pg_catalog.pg_inherits AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.inhrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
JOIN pg_catalog.pg_namespace AS q ON q.oid = p.relnamespace
WHERE x.relkind IN ('i', 'I') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY x.relkind <> 'i', x.oid
