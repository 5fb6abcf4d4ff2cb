-- As io-13.sql, with the sums of pg_stat_io over all kinds of processes and relations.
SELECT /* pg95 */
    b.checkpoints_timed,
    b.checkpoints_req AS checkpoints_requested,
    b.checkpoint_write_time AS checkpoint_write_ms,
    b.checkpoint_sync_time AS checkpoint_sync_ms,
    b.buffers_checkpoint,
    b.buffers_clean AS buffers_cleaned,
    b.buffers_alloc AS buffers_allocated,
    i.*
FROM pg_catalog.pg_stat_bgwriter AS b
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
) AS i
