-- Enumerated types with their labels in order.
SELECT /* pg95 */
    n.nspname AS schema,
    t.typname AS name,
    pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS labels
FROM pg_catalog.pg_type AS t
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_enum AS e ON e.enumtypid = t.oid
WHERE n.nspname !~ '^pg_'
GROUP BY n.nspname, t.typname
ORDER BY n.nspname, t.typname
