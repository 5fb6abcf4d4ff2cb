-- How the database sorts texts. The provider is told from 15 on: c is the C library, i ICU, b built in.
SELECT /* pg95 */
    d.datcollate::text AS collation,
    coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
    pg_catalog.current_setting('block_size')::int AS block_bytes
FROM pg_catalog.pg_database AS d
WHERE d.datname = current_database()
