-- The texts of statements that are not known yet, and which of them are pg95's own.
SELECT /* pg95 */
    s.dbid::bigint AS database_id,
    s.queryid::text AS query_id,
    s.query,
    pg_catalog.strpos(s.query, '/* pg95 */') > 0 AS own
FROM {schema}.pg_stat_statements(true) AS s
WHERE s.queryid = ANY (%(query_ids)s::bigint[])
  AND s.query IS NOT NULL
