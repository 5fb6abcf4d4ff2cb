-- Since when this database's use is counted (null: since it was made), and who else reads copies of it.
SELECT /* pg95 */
    s.stats_reset AS reset,
    pg_catalog.clock_timestamp() AS taken,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.pg_postmaster_start_time() AS started,
    pg_catalog.current_setting('track_counts') = 'on' AS counted,
    (
        SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication AS r
        WHERE coalesce(r.application_name, '') NOT IN ('pg_basebackup', 'pg_receivewal')
          AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_replication_slots AS l
            WHERE l.active_pid = r.pid AND l.slot_type = 'logical'
        )
    ) AS replicas
FROM pg_catalog.pg_stat_database AS s
WHERE s.datname = current_database()
