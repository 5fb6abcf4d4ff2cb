-- Statistics of ranges (STATISTIC_KIND_RANGE_LENGTH_HISTOGRAM and …_BOUNDS_HISTOGRAM), which before 17 only
-- superusers see: pg_stats has none of them.
SELECT /* pg95 */
    n.nspname AS schema,
    c.relname AS relation,
    a.attname AS column,
    s.stainherit AS inherited,
    CASE 6 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
        WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END::text AS range_length_histogram,
    (CASE 6 WHEN s.stakind1 THEN s.stanumbers1 WHEN s.stakind2 THEN s.stanumbers2 WHEN s.stakind3 THEN s.stanumbers3
        WHEN s.stakind4 THEN s.stanumbers4 WHEN s.stakind5 THEN s.stanumbers5 END)[1]::text AS range_empty_frac,
    CASE 7 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
        WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END::text AS range_bounds_histogram
FROM pg_catalog.pg_statistic AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.starelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
WHERE c.relkind IN ('r', 'p', 'm')
  AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_'
  AND (6 IN (s.stakind1, s.stakind2, s.stakind3, s.stakind4, s.stakind5)
       OR 7 IN (s.stakind1, s.stakind2, s.stakind3, s.stakind4, s.stakind5))
