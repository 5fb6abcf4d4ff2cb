-- Settings that decide what is seen of the workload, and how the server works. `unit` as pg_settings has it.
SELECT /* pg95 */ p.name, p.setting, p.unit, p.source
FROM pg_catalog.pg_settings AS p
WHERE p.name IN (
    'server_version', 'server_encoding', 'shared_preload_libraries', 'session_preload_libraries',
    'compute_query_id', 'track_activities', 'track_counts', 'track_io_timing', 'track_wal_io_timing',
    'track_planning', 'track_functions', 'track_activity_query_size',
    'logging_collector', 'log_destination', 'log_directory', 'log_filename', 'log_rotation_age',
    'log_rotation_size', 'log_line_prefix', 'log_timezone', 'log_statement', 'log_duration',
    'log_min_duration_statement', 'log_min_duration_sample', 'log_statement_sample_rate',
    'log_transaction_sample_rate', 'log_parameter_max_length', 'log_min_messages',
    'log_min_error_statement', 'log_error_verbosity', 'log_lock_waits', 'log_temp_files',
    'log_checkpoints', 'log_autovacuum_min_duration', 'log_connections', 'log_disconnections',
    'log_hostname', 'lc_messages',
    'max_connections', 'shared_buffers', 'effective_cache_size', 'work_mem', 'hash_mem_multiplier',
    'maintenance_work_mem', 'temp_buffers', 'wal_buffers', 'max_wal_size', 'checkpoint_timeout',
    'checkpoint_completion_target', 'random_page_cost', 'seq_page_cost', 'effective_io_concurrency',
    'max_parallel_workers', 'max_parallel_workers_per_gather', 'jit', 'plan_cache_mode',
    'default_statistics_target', 'synchronous_commit', 'fsync', 'autovacuum',
    'autovacuum_vacuum_scale_factor', 'autovacuum_analyze_scale_factor', 'autovacuum_max_workers',
    'deadlock_timeout', 'huge_pages', 'block_size'
)
   OR p.name ~ '^(pg_stat_statements|auto_explain)[.]'
ORDER BY p.name
