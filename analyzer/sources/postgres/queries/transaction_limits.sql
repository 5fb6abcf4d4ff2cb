-- For sessions behind a pooler that takes no options: limits that end with the transaction.
SELECT /* pg95 */
    pg_catalog.set_config('statement_timeout', '30s', true),
    pg_catalog.set_config('lock_timeout', '2s', true),
    pg_catalog.set_config('idle_in_transaction_session_timeout', '60s', true),
    pg_catalog.set_config('search_path', 'pg_catalog', true)
