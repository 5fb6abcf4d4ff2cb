-- For databases in SQL_ASCII, whose text may be anything: do not check it, until the transaction ends.
SELECT /* pg95 */ pg_catalog.set_config('client_encoding', 'SQL_ASCII', true)
