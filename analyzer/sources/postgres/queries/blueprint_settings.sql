-- Settings that decide plans, and what literals mean.
SELECT /* pg95 */ p.name, pg_catalog.current_setting(p.name) AS value
FROM pg_catalog.pg_settings AS p
WHERE p.category LIKE 'Query Tuning%'
   OR p.name IN (
       'work_mem', 'hash_mem_multiplier', 'max_parallel_workers_per_gather', 'parallel_leader_participation',
       'TimeZone', 'DateStyle', 'IntervalStyle', 'default_text_search_config'
   )
ORDER BY p.name
