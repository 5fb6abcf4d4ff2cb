-- What bounds a session of what-if questions, and how it finds what statements name. The plan of a prepared
-- statement is the one for any values.
SELECT /* pg95 */
    pg_catalog.current_setting('transaction_read_only'),
    pg_catalog.set_config('statement_timeout', '10s', false),
    pg_catalog.set_config('lock_timeout', '1s', false),
    pg_catalog.set_config('standard_conforming_strings', 'on', false),
    pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', false),
    pg_catalog.set_config('search_path', %(path)s, false)
