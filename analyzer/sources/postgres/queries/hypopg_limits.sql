-- What bounds a transaction of what-if questions, and how it finds what statements name; it ends with it.
SELECT /* pg95 */
    pg_catalog.set_config('statement_timeout', '10s', true),
    pg_catalog.set_config('lock_timeout', '1s', true),
    pg_catalog.set_config('idle_in_transaction_session_timeout', '60s', true),
    pg_catalog.set_config('standard_conforming_strings', 'on', true),
    pg_catalog.set_config('search_path', %(path)s, true)
