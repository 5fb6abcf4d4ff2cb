-- Marks that providers leave in a server: names of roles, settings, schemas and functions.
SELECT /* pg95 */ 'role ' || r.rolname AS mark
FROM pg_catalog.pg_roles AS r
WHERE r.rolname IN (
    'rdsadmin', 'rds_superuser', 'cloudsqladmin', 'cloudsqlsuperuser', 'alloydbadmin',
    'alloydbsuperuser', 'azuresu', 'azure_pg_admin', 'supabase_admin', 'neon_superuser',
    'crunchy_superuser'
)
UNION ALL
SELECT DISTINCT 'setting ' || pg_catalog.split_part(p.name, '.', 1) || '.*'
FROM pg_catalog.pg_settings AS p
WHERE p.name ~ '^(rds|aurora|cloudsql|alloydb|azure|supautils|neon)[.]'
UNION ALL
SELECT 'schema ' || n.nspname
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname IN ('heroku_ext', 'supabase_functions', 'supabase_migrations')
UNION ALL
SELECT DISTINCT 'function ' || f.proname || '()'
FROM pg_catalog.pg_proc AS f
WHERE f.proname IN ('aurora_version')
ORDER BY mark
