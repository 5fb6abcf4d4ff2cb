-- What statistics hold of a column's values: the most common ones, and the bounds between the others.
SELECT /* pg95 */ coalesce(most_common_vals::text::text[], '{}'::text[])
    || coalesce(histogram_bounds::text::text[], '{}'::text[]) AS known
FROM pg_catalog.pg_stats
WHERE schemaname = %(schema)s AND tablename = %(table)s AND attname = %(column)s
ORDER BY inherited
LIMIT 1
