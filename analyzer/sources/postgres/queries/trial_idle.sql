-- How long one session of a trial may wait, in its transaction, for what the other one runs.
SELECT /* pg95 */
    pg_catalog.set_config('idle_in_transaction_session_timeout', %(timeout)s, true)
