-- Conditions and expressions of indexes. Printing waits for tables that are locked exclusively,
-- hence a query of its own.
SELECT /* pg95 */
    i.indexrelid::bigint AS id,
    pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) AS predicate,
    ARRAY(
        SELECT CASE
            WHEN d.text LIKE '(%' THEN pg_catalog.substr(d.text, 2, pg_catalog.length(d.text) - 2)
            ELSE d.text
        END
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
        CROSS JOIN LATERAL pg_catalog.pg_get_indexdef(i.indexrelid, k.n::int, true) AS d (text)
        WHERE k.attnum = 0
        ORDER BY k.n
    ) AS expressions
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL)
  AND t.relkind IN ('r', 'p', 'm')
  AND t.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
