-- Names of a statement are found as its role and database find them, to the end of the transaction.
SELECT /* pg95 */ pg_catalog.set_config('search_path', %(path)s, true)
