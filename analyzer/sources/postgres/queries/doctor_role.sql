-- Who asks, and what that role may see. MEMBER without USAGE: it has to SET ROLE first (NOINHERIT).
SELECT /* pg95 */
    current_user::text AS role,
    current_database()::text AS database,
    r.rolsuper AS superuser,
    pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS reads_statistics,
    pg_catalog.pg_has_role('pg_read_all_stats', 'MEMBER') AS may_read_statistics,
    pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') AS reads_settings,
    pg_catalog.version() AS version_text
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = current_user
