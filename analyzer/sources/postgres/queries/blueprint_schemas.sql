-- Schemas that are no extension's.
SELECT /* pg95 */ pg_catalog.format('CREATE SCHEMA %I', n.nspname) AS statement
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname NOT IN ('information_schema', 'public')
  AND n.nspname !~ '^pg_'
  AND NOT EXISTS (
      SELECT 1 FROM pg_catalog.pg_depend AS d
      WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid AND d.deptype = 'e'
  )
ORDER BY n.nspname
