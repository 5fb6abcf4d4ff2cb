-- Columns in order; statistics as far as this role may see them.
SELECT /* pg95 */
    c.oid::bigint AS id,
    a.attname AS name,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS nullable,
    s.n_distinct::double precision AS distinct_values,
    s.null_frac::double precision AS null_fraction,
    s.avg_width::double precision AS width_bytes,
    s.most_common_freqs::double precision[] AS common_frequencies,
    s.correlation::double precision AS correlation,
    s.elem_count_histogram[pg_catalog.array_upper(s.elem_count_histogram, 1)]::double precision AS elements
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_stats AS s
    ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
    AND s.inherited = (c.relkind = 'p')
WHERE c.relkind IN ('r', 'p', 'm')
  AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
ORDER BY c.oid, a.attnum
