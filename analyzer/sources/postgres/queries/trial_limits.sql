-- What bounds the building of a trial's indexes; it ends with the transaction.
SELECT /* pg95 */
    pg_catalog.set_config('statement_timeout', %(timeout)s, true),
    pg_catalog.set_config('lock_timeout', '5s', true),
    pg_catalog.set_config('idle_in_transaction_session_timeout', '10min', true)
