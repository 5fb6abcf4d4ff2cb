SELECT /* pg95 */ pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)
