-- Settings that say what the server's logs can show; a role sees those that it may.
SELECT /* pg95 */ p.name, p.setting
FROM pg_catalog.pg_settings AS p
WHERE p.name IN (
    'server_version_num', 'server_version', 'log_destination', 'log_statement', 'log_duration',
    'log_min_duration_statement', 'log_min_duration_sample', 'log_statement_sample_rate',
    'log_transaction_sample_rate', 'log_line_prefix', 'log_timezone', 'compute_query_id',
    'track_io_timing', 'shared_preload_libraries'
)
UNION ALL
-- The zone of this session is the client's; the server's own is what it would be without one.
SELECT p.name, p.reset_val FROM pg_catalog.pg_settings AS p WHERE p.name = 'TimeZone'
