-- Tables with their columns; a materialized view is one, too. Parents come before their children.
SELECT /* pg95 */
    pg_catalog.format('CREATE %sTABLE %I.%I (%s)', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, n.nspname, c.relname, a.columns)
    || coalesce(' INHERITS (' || p.parents || ')', '')
    || CASE WHEN c.relkind = 'p' THEN ' PARTITION BY ' || pg_catalog.pg_get_partkeydef(c.oid) ELSE '' END
    || coalesce(' WITH (' || o.options || ')', '') AS statement
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(
        pg_catalog.format('%I %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod))
        || CASE
            WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
            THEN pg_catalog.format(' COLLATE %I.%I', m.nspname, l.collname) ELSE ''
        END
        || CASE
            WHEN a.attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ') STORED'
            WHEN a.attgenerated = 'v' THEN ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ') VIRTUAL'
            ELSE ''
        END
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
        ', ' ORDER BY a.attnum
    ) AS columns
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
    LEFT JOIN pg_catalog.pg_namespace AS m ON m.oid = l.collnamespace
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
) AS a
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', q.nspname, r.relname), ', ' ORDER BY i.inhseqno) AS parents
    FROM pg_catalog.pg_inherits AS i
    JOIN pg_catalog.pg_class AS r ON r.oid = i.inhparent
    JOIN pg_catalog.pg_namespace AS q ON q.oid = r.relnamespace
    WHERE i.inhrelid = c.oid AND NOT c.relispartition
) AS p
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(pg_catalog.replace(f, '=', ' = '), ', ') AS options
    FROM unnest(c.reloptions) AS f
    WHERE f ~ '^(fillfactor|parallel_workers)=[0-9]+$'
) AS o
WHERE c.relkind IN ('r', 'p', 'm')
  AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
  AND NOT EXISTS (
      SELECT 1 FROM pg_catalog.pg_depend AS d
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY c.relkind = 'm', c.oid
