-- What Prisma recorded of migrations; {schema} is where its table is.
SELECT /* pg95 */
    m.migration_name AS name,
    m.checksum,
    m.started_at AS started,
    m.finished_at AS finished,
    m.rolled_back_at AS rolled_back,
    m.applied_steps_count AS steps,
    pg_catalog.left(m.logs, 100000) AS logs
FROM {schema}._prisma_migrations AS m
ORDER BY m.started_at
