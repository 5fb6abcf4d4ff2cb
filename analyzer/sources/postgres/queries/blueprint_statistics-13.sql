-- Statistics of columns and of indexes' expressions, as far as this role may see them: values of the data are in them.
SELECT /* pg95 */
    s.schemaname AS schema,
    s.tablename AS relation,
    CASE WHEN c.relkind IN ('i', 'I') THEN NULL ELSE s.attname END AS column,
    CASE WHEN c.relkind IN ('i', 'I') THEN a.attnum::int END AS number,
    s.inherited,
    s.null_frac::text AS null_frac,
    s.avg_width::text AS avg_width,
    s.n_distinct::text AS n_distinct,
    s.most_common_vals::text AS most_common_vals,
    s.most_common_freqs::text AS most_common_freqs,
    s.histogram_bounds::text AS histogram_bounds,
    s.correlation::text AS correlation,
    s.most_common_elems::text AS most_common_elems,
    s.most_common_elem_freqs::text AS most_common_elem_freqs,
    s.elem_count_histogram::text AS elem_count_histogram
FROM pg_catalog.pg_stats AS s
JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.schemaname
JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = s.attname
WHERE c.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
ORDER BY s.schemaname, s.tablename, a.attnum, s.inherited
