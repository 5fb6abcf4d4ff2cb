-- Foreign keys. Rows that PostgreSQL keeps for each partition of a referenced table are left out.
SELECT /* pg95 */
    k.conrelid::bigint AS id,
    k.confrelid::bigint AS target,
    k.conname AS name,
    k.confdeltype::text AS on_delete,
    k.confupdtype::text AS on_update,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(k.conkey) WITH ORDINALITY AS c (attnum, n)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = c.attnum
        ORDER BY c.n
    ) AS columns,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(k.confkey) WITH ORDINALITY AS c (attnum, n)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = c.attnum
        ORDER BY c.n
    ) AS target_columns
FROM pg_catalog.pg_constraint AS k
LEFT JOIN pg_catalog.pg_constraint AS p ON p.oid = k.conparentid
WHERE k.contype = 'f'
  AND (p.oid IS NULL OR p.conrelid <> k.conrelid)
ORDER BY k.conrelid, k.conname
