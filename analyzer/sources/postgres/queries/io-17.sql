-- As io-16.sql; from 17 on checkpoints have a view of their own. 18 counts WAL in pg_stat_io as well,
-- which is left out here, so that figures of one version mean what those of another do.
SELECT /* pg95 */
    c.num_timed AS checkpoints_timed,
    c.num_requested AS checkpoints_requested,
    c.write_time AS checkpoint_write_ms,
    c.sync_time AS checkpoint_sync_ms,
    c.buffers_written AS buffers_checkpoint,
    b.buffers_clean AS buffers_cleaned,
    b.buffers_alloc AS buffers_allocated,
    i.*
FROM pg_catalog.pg_stat_checkpointer AS c
CROSS JOIN pg_catalog.pg_stat_bgwriter AS b
CROSS JOIN (
    SELECT
        sum(s.reads)::bigint AS reads,
        sum(s.read_time) AS read_ms,
        sum(s.writes)::bigint AS writes,
        sum(s.write_time) AS write_ms,
        sum(s.extends)::bigint AS extends,
        sum(s.hits)::bigint AS hits,
        sum(s.evictions)::bigint AS evictions,
        sum(s.fsyncs)::bigint AS fsyncs,
        sum(s.fsync_time) AS fsync_ms
    FROM pg_catalog.pg_stat_io AS s
    WHERE s.object <> 'wal'
) AS i
