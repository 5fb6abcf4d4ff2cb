-- Which tables are partitions of which, within what bounds.
SELECT /* pg95 */
    pg_catalog.format(
        'ALTER TABLE ONLY %I.%I ATTACH PARTITION %I.%I %s', q.nspname, p.relname, n.nspname, c.relname,
        pg_catalog.pg_get_expr(c.relpartbound, c.oid)
    ) AS statement
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid
JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
JOIN pg_catalog.pg_namespace AS q ON q.oid = p.relnamespace
WHERE c.relispartition AND c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY c.oid
