-- Keys, checks and exclusions; foreign keys last. Those that a parent hands down come with the parent.
SELECT /* pg95 */
    pg_catalog.format(
        'ALTER TABLE %s%I.%I ADD CONSTRAINT %I %s', CASE WHEN k.contype = 'f' AND c.relkind = 'p' THEN '' ELSE 'ONLY ' END,
        n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid)
    ) AS statement
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'x', 'c', 'f')
  AND (k.contype <> 'c' OR k.conislocal)
  AND (k.contype <> 'f' OR k.conparentid = 0)
  AND c.relkind IN ('r', 'p')
  AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
ORDER BY pg_catalog.strpos('puxcf', k.contype::text), c.relkind <> 'p', k.oid
