-- pg_stat_statements 1.9 and later: how often entries were thrown out for want of room.
SELECT /* pg95 */ i.dealloc, i.stats_reset
FROM {schema}.pg_stat_statements_info AS i
