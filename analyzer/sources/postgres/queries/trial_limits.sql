-- What bounds the DDL of a trial; it ends with the transaction, or with the savepoint that it is said in.
SELECT /* pg95 */
    pg_catalog.set_config('statement_timeout', %(timeout)s, true),
    pg_catalog.set_config('lock_timeout', '5s', true)
