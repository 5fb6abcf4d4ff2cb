-- An index, and those of its table's parts where that is partitioned: their names as plans have them, and their
-- size together.
SELECT /* pg95 */ array_agg(c.relname::text), sum(pg_relation_size(c.oid))::int8
FROM (
    WITH RECURSIVE parts AS (
        SELECT c.oid
        FROM pg_class AS c
        WHERE c.oid = %(oid)s::oid AND c.relkind IN ('i', 'I')
        UNION ALL
        SELECT i.inhrelid FROM parts JOIN pg_inherits AS i ON i.inhparent = parts.oid
    )
    SELECT parts.oid FROM parts
) AS parts
JOIN pg_class AS c ON c.oid = parts.oid
HAVING count(*) > 0
