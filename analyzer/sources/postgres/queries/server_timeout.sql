-- The server's statement_timeout: this session's own hides it in pg_settings, so the files have to tell it.
SELECT /* pg95 */
    COALESCE(
        (
            SELECT f.setting
            FROM pg_catalog.pg_file_settings AS f
            WHERE f.name = 'statement_timeout' AND f.applied
            ORDER BY f.seqno DESC
            LIMIT 1
        ),
        (SELECT p.boot_val FROM pg_catalog.pg_settings AS p WHERE p.name = 'statement_timeout')
    )
