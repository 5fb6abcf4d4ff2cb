"""What _scan.pyx uses of scan.h."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "scan.h":
    enum: SCAN_STDERR, SCAN_CSVLOG, SCAN_JSONLOG
    enum: SCAN_END, SCAN_DECLINE, SCAN_LOST, SCAN_TIME, SCAN_SESSION, SCAN_SPEAKER, SCAN_KEY
    enum: SCAN_TEXT, SCAN_COMMENT, SCAN_NOTES, SCAN_CHECK, SCAN_MEMORY
    enum: WAITS_NOT, WAITS_FAILED, WAITS_UNKNOWN
    enum: F_TIME, F_PROCESS, F_SESSION, F_LINE, F_USER, F_DATABASE, F_APPLICATION, F_QUERY, F_CODE
    enum: F_SEVERITY, F_MESSAGE, F_DETAIL, F_STATEMENT
    enum: KEY_STRIPPED, KEY_RAW, KEY_UNSURE, KEY_MEMORY
    ctypedef struct span:
        const uint8_t *p
        size_t n
    ctypedef struct buffer:
        uint8_t *p
        size_t n
        int lent
    ctypedef struct key_parts:
        buffer key, literals, comments
        int has_literals, has_comments
    ctypedef struct session_state:
        int64_t row, phased_us
        int32_t number, database, user, application, timed_key
        uint8_t python, other, timed, cleared, said, waits, renewable, used, fresh
    ctypedef struct rows:
        int64_t base
        size_t count
        uint8_t *lent
        int64_t *start_us
        int64_t *end_us
        int64_t *line
        int64_t *query_id
        int64_t *trace
        double *duration_ms
        int32_t *key
        int32_t *parameters
        int32_t *comment
        int32_t *session
        int32_t *database
        int32_t *user
        int32_t *application
        uint32_t *parameters_hash
        int8_t *flags
        buffer texts
        int64_t *ends
        size_t texts_count
    ctypedef struct phase:
        int64_t parses, binds, parse_ns, bind_ns
    enum: NOTE_ENTRY, NOTE_PLAN, NOTE_BELONGING, NOTE_FILE
    enum: N_SEVERITY, N_CODE, N_MESSAGE, N_DETAIL, N_STATEMENT
    ctypedef struct note:
        int64_t at_us, row, line, phased_us, file_bytes
        double minimum_ms, duration_ms
        int32_t slot, database, user, application, timed_key, statement_key
        uint8_t kind, has_statement, is_python, timed, cleared, said
        size_t end[5]
    ctypedef struct scanner:
        size_t position, entry_end, session_count, phase_cap
        span ask[3]
        int32_t session, check_key
        int understood, format
        int64_t at_us
        size_t entry_lines
        span field[16]
        int64_t entries, entry_bytes, lines, parses, binds, outside, plans
        double minimum_ms
        note *notes
        size_t note_count
        buffer note_texts
        session_state *sessions
        phase *phases
        buffer check_text
        rows now, before
    scanner *scan_new(int, int64_t, int64_t, int64_t)
    void scan_free(scanner *)
    int scan_prefix(scanner *, char, int, span)
    void scan_block(scanner *, const uint8_t *, size_t, int)
    int scan_run(scanner *) nogil
    int scan_set_time(scanner *, int, int64_t)
    int scan_set_session(scanner *, int32_t, int)
    int scan_set_speaker(scanner *, int32_t, int32_t, int32_t)
    int scan_set_key(scanner *, int32_t)
    int scan_set_text(scanner *, int32_t, int32_t, int64_t, const uint8_t *, size_t)
    int scan_set_comment(scanner *, int32_t, int64_t)
    void scan_clear_sessions(scanner *)
    int32_t scan_known_key(scanner *, span)
    int64_t scan_add_row(scanner *, int64_t, int64_t, double, int32_t, int64_t, int64_t, int32_t,
                         int64_t, const int32_t *)
    int scan_set_parameters(scanner *, int64_t, span)
    void scan_set_flags(scanner *, int64_t, int8_t)
    int kind_of_note(const note *)
    int scan_set_plan_floor(scanner *, int32_t, double)
    void scan_turn(scanner *)
    void scan_given(rows *)
    int scan_lend(scanner *, uint8_t *, size_t)
    int rows_borrow(const rows *, const void *)
    int key_of(span, key_parts *) nogil
    void key_free(key_parts *)
    ctypedef struct shape:
        pass
    void shape_set(shape *, span, const key_parts *, int32_t)
    int shape_fits(const shape *, span, key_parts *)
    void c_keep_memory "keep_memory"()
