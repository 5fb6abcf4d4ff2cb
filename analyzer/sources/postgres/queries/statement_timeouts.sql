-- statement_timeout as roles and databases have it of their own, and whether the server's files may be read.
SELECT /* pg95 */ r.rolname, d.datname, pg_catalog.split_part(c.text, '=', 2), false
FROM pg_catalog.pg_db_role_setting AS s
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (text)
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
WHERE c.text LIKE 'statement\_timeout=%'
UNION ALL
SELECT
    NULL, NULL, NULL,
    pg_catalog.has_table_privilege('pg_catalog.pg_file_settings', 'SELECT')
    AND pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE')
