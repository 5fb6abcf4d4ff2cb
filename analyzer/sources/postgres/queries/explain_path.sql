-- How statements of this role and database find what they name without a schema; and whether the server is a standby.
SELECT /* pg95 */
    pg_catalog.current_setting('search_path'),
    pg_catalog.current_schemas(true)::pg_catalog.text[],
    pg_catalog.pg_is_in_recovery()
