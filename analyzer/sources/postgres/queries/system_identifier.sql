-- What initdb gave the cluster; some providers keep it from their customers.
SELECT /* pg95 */ c.system_identifier::text AS system_identifier
FROM pg_catalog.pg_control_system() AS c
