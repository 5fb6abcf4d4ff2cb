-- Which server, which run of it, and what time it is there.
SELECT /* pg95 */
    pg_catalog.current_setting('server_version_num')::int AS version,
    pg_catalog.pg_postmaster_start_time() AS started,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.clock_timestamp() AS taken,
    current_database() AS database
