-- The size of an index that was just built, wherever it was put.
SELECT /* pg95 */ pg_catalog.pg_relation_size(c.oid)
FROM pg_catalog.pg_class AS c
WHERE c.relname = %(name)s AND c.relkind IN ('i', 'I')
