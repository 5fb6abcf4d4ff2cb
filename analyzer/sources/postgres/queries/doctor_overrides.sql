-- Settings that roles and databases have of their own, as far as they decide what is logged or counted.
SELECT /* pg95 */
    r.rolname AS role,
    d.datname AS database,
    pg_catalog.split_part(c.text, '=', 1) AS name,
    pg_catalog.substr(c.text, pg_catalog.strpos(c.text, '=') + 1) AS value
FROM pg_catalog.pg_db_role_setting AS s
CROSS JOIN LATERAL unnest(s.setconfig) AS c (text)
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
WHERE c.text ~ '^(log_|auto_explain[.]|pg_stat_statements[.]|compute_query_id|track_|session_preload_libraries)'
ORDER BY r.rolname NULLS FIRST, d.datname NULLS FIRST, c.text
