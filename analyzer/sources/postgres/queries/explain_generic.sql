-- The plan of a prepared statement is the one for any values, to the end of the transaction.
SELECT /* pg95 */ pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)
