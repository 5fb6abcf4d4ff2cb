-- How the database sorts texts, and whether any column is a range. The provider is told from 15 on: c is the C library, i ICU, b built in.
SELECT /* pg95 */
    d.datcollate::text AS collation,
    coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
    pg_catalog.current_setting('block_size')::int AS block_bytes,
    EXISTS (
        SELECT 1
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE t.typtype = 'r' AND c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped
          AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    ) AS has_ranges
FROM pg_catalog.pg_database AS d
WHERE d.datname = current_database()
