-- What the server wrote by itself, up to version 16.
SELECT /* pg95 */
    b.checkpoints_timed,
    b.checkpoints_req AS checkpoints_requested,
    b.checkpoint_write_time AS checkpoint_write_ms,
    b.checkpoint_sync_time AS checkpoint_sync_ms,
    b.buffers_checkpoint,
    b.buffers_clean AS buffers_cleaned,
    b.buffers_backend,
    b.buffers_alloc AS buffers_allocated
FROM pg_catalog.pg_stat_bgwriter AS b
