-- The rows of tables by the server's statistics, with those of their parts; NULL where some part that is not
-- empty was never analysed (-1 from version 14 on, no pages before).
SELECT /* pg95 */
    parts.root,
    CASE WHEN bool_or((c.reltuples < 0 OR c.relpages = 0) AND pg_relation_size(c.oid) > 0) THEN NULL
        ELSE sum(CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE 0 END)::float8 END
FROM (
    WITH RECURSIVE parts AS (
        SELECT q.oid AS root, q.oid
        FROM unnest(%(oids)s::oid[]) AS q(oid)
        UNION ALL
        SELECT parts.root, i.inhrelid
        FROM parts JOIN pg_inherits AS i ON i.inhparent = parts.oid
    )
    SELECT parts.root, parts.oid FROM parts
) AS parts
JOIN pg_class AS c ON c.oid = parts.oid AND c.relkind <> 'p'
GROUP BY parts.root
