-- Whether the database has Prisma's table of migrations, and in which schemas.
SELECT /* pg95 */ n.nspname AS schema
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = '_prisma_migrations' AND c.relkind IN ('r', 'p')
ORDER BY n.nspname = 'public' DESC, n.nspname
