-- Defaults of columns, and which are identities. Printing waits for tables that are locked exclusively,
-- hence a query of its own. Generated columns have an expression and no default.
SELECT /* pg95 */
    a.attrelid::bigint AS id,
    a.attname AS name,
    CASE WHEN d.oid IS NULL THEN NULL ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS expression
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS t ON t.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE (d.oid IS NOT NULL OR a.attidentity <> '')
  AND coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') = '' -- from 12 on
  AND a.attnum > 0
  AND NOT a.attisdropped
  AND t.relkind IN ('r', 'p')
  AND t.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
