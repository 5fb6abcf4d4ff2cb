-- Indexes; one array element per column, key columns first, then those of INCLUDE;
-- the element of an expression is null (index_texts.sql has its text). What newer versions alone tell
-- is taken from the row as JSON, where it is null before.
SELECT /* pg95 */
    i.indrelid::bigint AS id,
    i.indexrelid::bigint AS index_id,
    x.relname AS name,
    x.relkind::text AS kind,
    m.amname AS method,
    i.indisunique AS is_unique,
    i.indisprimary AS is_primary,
    i.indisvalid AS is_valid,
    i.indnkeyatts::int AS key_columns,
    h.inhparent::bigint AS parent,
    greatest(x.relpages, 0)::bigint * pg_catalog.current_setting('block_size')::bigint AS estimated_bytes,
    pg_catalog.pg_stat_get_numscans(i.indexrelid) AS scans,
    i.indpred IS NOT NULL AS is_partial,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
        LEFT JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        ORDER BY k.n
    ) AS columns,
    ARRAY(
        SELECT (o.flags & 1) = 1
        FROM unnest(i.indoption::int2[]) WITH ORDINALITY AS o (flags, n)
        ORDER BY o.n
    ) AS descending,
    ARRAY(
        SELECT (o.flags & 2) = 2
        FROM unnest(i.indoption::int2[]) WITH ORDINALITY AS o (flags, n)
        ORDER BY o.n
    ) AS nulls_first,
    ARRAY(
        SELECT CASE WHEN c.id IN (0, coalesce(a.attcollation, 100)) THEN NULL ELSE l.collname::text END
        FROM unnest(i.indcollation::oid[]) WITH ORDINALITY AS c (id, n)
        JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n) ON k.n = c.n
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = c.id
        ORDER BY c.n
    ) AS collations,
    coalesce(pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false' AS nulls_distinct,
    i.indisreplident OR (t.relreplident = 'd' AND i.indisprimary) AS is_replica_identity,
    (
        SELECT k.contype::text FROM pg_catalog.pg_constraint AS k
        WHERE k.conindid = i.indexrelid AND k.contype IN ('u', 'x')
        LIMIT 1
    ) AS constraint_type,
    ARRAY(
        SELECT k.conname::text FROM pg_catalog.pg_constraint AS k
        WHERE k.conindid = i.indexrelid AND k.contype = 'f'
        ORDER BY k.conname
    ) AS referenced_by,
    EXISTS (
        SELECT FROM pg_catalog.pg_stat_progress_create_index AS g
        WHERE g.datname = current_database() AND g.relid = i.indrelid AND g.index_relid IN (0, i.indexrelid)
    ) AS is_building,
    ARRAY(
        SELECT CASE WHEN c.opcdefault THEN NULL ELSE c.opcname::text END
        FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS o (class, n)
        JOIN pg_catalog.pg_opclass AS c ON c.oid = o.class
        ORDER BY o.n
    ) AS operator_classes
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = i.indexrelid
WHERE t.relkind IN ('r', 'p', 'm')
  AND t.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
ORDER BY i.indrelid, x.relname
