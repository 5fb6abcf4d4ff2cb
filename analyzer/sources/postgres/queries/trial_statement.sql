-- What bounds one statement of a trial; it ends with its savepoint.
SELECT /* pg95 */
    pg_catalog.set_config('statement_timeout', %(timeout)s, true),
    pg_catalog.set_config('transaction_read_only', 'on', true)
