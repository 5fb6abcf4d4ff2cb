/* The native scanner: frames the entries of stderr, csvlog and jsonlog, takes them apart, builds
 * the safe key of their statements and puts executions into columns.
 *
 * It is the twin of the Python readers beside it and handles what is frequent: executions, parse
 * and bind entries, and what belongs to them. Whatever it does not know it declines, and the Python
 * reader handles that entry; what is new (a second, a session, a key) it asks for. So it never
 * calls back, and runs without the interpreter's lock.
 *
 *   scan_block(s, data, size, last) sets a block, then scan_run(s) is called until it says SCAN_END;
 *   every other answer is a question, answered by the function named beside it. The entry that
 *   asked is then begun again, and finds the answer. An entry that may go on behind the block
 *   (unless it is the `last`) is left over. */
#ifndef PG95_SCAN_H
#define PG95_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SCAN_STDERR, SCAN_CSVLOG, SCAN_JSONLOG };

enum {
    SCAN_END,     /* the block is done; from `position` on, an entry that may not be complete */
    SCAN_DECLINE, /* the entry from `position` to `entry_end` is the Python reader's: scan_declined */
    SCAN_LOST,    /* csvlog only: no record begins at `position` */
    SCAN_TIME,    /* `ask[0]` is a timestamp up to its second: scan_set_time */
    SCAN_SESSION, /* `ask[0]` is a new session's name: scan_set_session */
    SCAN_SPEAKER, /* `ask` are user, database and application of `session`: scan_set_speaker */
    SCAN_KEY,     /* `ask[0]` is a statement with a new key: scan_set_key */
    SCAN_TEXT,    /* `ask[0]` is a statement whose key is not built here: scan_set_text */
    SCAN_COMMENT, /* `ask[0]` are the comments of a statement: scan_set_comment */
    SCAN_NOTES,   /* `notes` are to be told now: the last of them may change its session */
    SCAN_CHECK,   /* `check_text` is a statement whose key `check_key` is to be checked */
    SCAN_MEMORY   /* there is none left */
};

typedef struct { const uint8_t *p; size_t n; } span;

static inline uint64_t read64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, 8);
    return value;
}

static inline uint32_t read32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, 4);
    return value;
}

/* Whether n bytes are the same: memcmp without a call for the short ones, which most are. */
static inline int same(const void *first, const void *second, size_t n)
{
    const uint8_t *a = first, *b = second;
    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8)
        return ((read64(a) ^ read64(b)) | (read64(a + n - 8) ^ read64(b + n - 8))) == 0;
    if (n >= 4)
        return ((read32(a) ^ read32(b)) | (read32(a + n - 4) ^ read32(b + n - 4))) == 0;
    while (n && *a == *b)
        a++, b++, n--;
    return n == 0;
}

typedef struct { uint8_t *p; size_t n, cap; int lent; } buffer; /* lent: its memory is another's */

void keep_memory(void);
int buffer_add(buffer *b, const uint8_t *p, size_t n); /* 0, or -1 without memory */
int buffer_room(buffer *b, size_t n);                   /* for n bytes more, and some beyond them */
/* Copies what lies before the first `stop`, to where there is room for all of it; where that is, or
 * the end. */
const uint8_t *copy_until(buffer *to, const uint8_t *p, const uint8_t *end, uint8_t stop);

/* Bytes to a few numbers. */
typedef struct { uint64_t hash; size_t at, n; int64_t trace; int32_t key, comment; } item;
typedef struct { int32_t *slots; size_t mask; item *items; size_t count, cap; buffer bytes; } table;

item *table_find(const table *t, span text, uint64_t hash);
item *table_add(table *t, span text, uint64_t hash);
void table_clear(table *t);
void table_free(table *t);
uint64_t hash_of(span text);
uint32_t crc_of(span text); /* CRC-32 as zlib's, 0 becoming 1 */

/* What the safe key of a statement is made of. */
enum { KEY_STRIPPED, KEY_RAW, KEY_UNSURE, KEY_MEMORY };
enum { SHAPES = 1024, SHAPE_BYTES = 512, SHAPE_PARTS = 32 };
typedef struct {
    buffer key, literals, comments;
    int has_literals, has_comments, varied_count; /* the last: also of those beyond SHAPE_PARTS */
    span varied[SHAPE_PARTS];                     /* literals and comments, where they are in the text */
} key_parts;
int key_of(span text, key_parts *out); /* a text without NUL */
void key_free(key_parts *parts);

/* A text with a known key; where in it literals and comments are. n 0: there is none. */
typedef struct {
    int32_t key;
    uint16_t n;
    uint8_t count;
    struct { uint16_t at, end; } part[SHAPE_PARTS];
    uint8_t text[SHAPE_BYTES];
} shape;
shape *shape_place(shape *shapes, span text); /* among SHAPES; NULL for a text that gets none */
void shape_set(shape *x, span text, const key_parts *parts, int32_t key);
int shape_fits(const shape *x, span text, key_parts *out);

/* Shared by key.c and shape.c: where what begins at p, or before it, ends; NULL if it does not. */
const uint8_t *number_end(const uint8_t *p, const uint8_t *end);
const uint8_t *quoted_end(const uint8_t *p, const uint8_t *end);
const uint8_t *escaped_end(const uint8_t *p, const uint8_t *end);
const uint8_t *dollar_end(const uint8_t *p, const uint8_t *end);
const uint8_t *comment_at(const uint8_t *p, const uint8_t *end, int *unsure);
void add_literal(key_parts *out, const uint8_t *p, const uint8_t *end);
void add_comment(key_parts *out, const uint8_t *p, const uint8_t *end);
int parts_begin(key_parts *out, size_t n); /* for those of a text of n bytes; -1 without memory */

/* One entry's fields, as written; absent ones are empty. */
enum { F_TIME, F_PROCESS, F_SESSION, F_LINE, F_USER, F_DATABASE, F_APPLICATION, F_QUERY, F_CODE,
       F_SEVERITY, F_MESSAGE, F_DETAIL, F_STATEMENT, F_COUNT };

/* How a log_line_prefix is matched: a literal, or a field of some class. */
typedef struct { char escape; int field; uint8_t literal[64]; size_t n; } prefix_op;
enum { PREFIX_OPS = 48 };

/* What followed the last field of a prefix that each line has anew: it is the same in all entries of
 * a session, and so are the fields in it. */
enum { REMEMBERED_PREFIXES = 1024, REMEMBERED_BYTES = 64 };
typedef struct {
    int32_t session;           /* whose it is; -1 not known */
    uint32_t speaks;           /* `spoken` of that session while it bears the names in here; 0 not known */
    uint8_t text[REMEMBERED_BYTES], n, count;
    struct { uint8_t number, at, n; } field[F_COUNT];
} known_prefix;

enum { WAITS_NOT, WAITS, WAITS_FAILED, WAITS_UNKNOWN }; /* FAILED: and it may be an error */

typedef struct {
    int64_t row;               /* the execution that a DETAIL would complete, -1 none */
    int32_t number, database, user, application;
    int32_t key, comment;      /* of `text` */
    int64_t trace;
    int64_t phased_us;         /* when the last entry was logged, if a parse or bind; else -1 */
    int32_t timed_key;         /* the key of the last execution, parse or bind, -1 none */
    buffer who, text;          /* user, database, application; the last statement */
    uint32_t spoken;           /* how often `who` was set */
    uint8_t python;            /* its entries are Python's first (it waits, or has ended) */
    uint8_t other;             /* its last entry was Python's: so is what belongs to it */
    uint8_t timed, cleared;    /* since Python had it: ran or phased; lay outside the window */
    uint8_t said;              /* as `timed`: said anything within the window */
    uint8_t waits;             /* whether what Python made of its last entry waits for more */
    uint8_t renewable, used, fresh; /* as Python's Session has them */
} session_state;

typedef struct {
    int64_t base;              /* the number of its first row */
    size_t count, cap;         /* how many there are, and there is room for */
    size_t hint, ends_hint, texts_hint; /* how many there will be about, and how much of the others */
    uint8_t *lent;             /* memory of another in which columns may be (see scan_lend), or NULL */
    size_t lent_size;
    int64_t *start_us, *end_us, *line, *query_id, *trace;
    double *duration_ms;
    int32_t *key, *parameters, *comment, *session, *database, *user, *application;
    uint32_t *parameters_hash;
    int8_t *flags;
    buffer texts;              /* parameters, one behind the other */
    int64_t *ends;             /* where each ends */
    size_t texts_count, texts_cap;
} rows;

typedef struct { int64_t parses, binds; int64_t parse_ns, bind_ns; } phase;

/* An entry that Python judges later, in the order of the log, or what belongs to one. What it says ends
 * at `end` in `note_texts`, one text behind the other; the message of a plan is the plan. */
enum { NOTE_ENTRY, NOTE_PLAN, NOTE_BELONGING, NOTE_FILE };
enum { N_SEVERITY, N_CODE, N_MESSAGE, N_DETAIL, N_STATEMENT, N_COUNT };
typedef struct {
    int64_t at_us, row, line, phased_us;
    int64_t file_bytes;             /* of an entry that tells of a temporary file; else -1 */
    double minimum_ms, duration_ms; /* the latter of a plan */
    int32_t slot, database, user, application, timed_key, statement_key; /* the last: -1 not known */
    uint8_t kind, has_statement;
    uint8_t is_python, timed, cleared, said; /* of the session, as it was */
    size_t end[N_COUNT];
} note;

typedef struct scanner {
    int format;
    prefix_op ops[PREFIX_OPS];
    int op_count, steady_from; /* the ops from there on match what a session repeats */
    known_prefix *known;       /* of stderr and csvlog, by what they begin with */
    known_prefix *prefix;      /* the current entry's among them, NULL if there is none */
    int session_before;        /* named before what a session repeats begins */
    int speaker_before;        /* or, of the speaker, not within it */
    int64_t since_us, until_us;
    const uint8_t *data;
    size_t size, position, entry_end;
    int last;
    size_t ascii_end;          /* up to where the block is known to be plain ASCII, or sound */
    span field[F_COUNT];
    span ask[3];
    int32_t session;           /* of the current entry, -1 not known */
    int understood;            /* of a declined entry: `at_us` and `field` hold */
    int64_t at_us;
    int ask_kind;
    int64_t ask_trace; /* that was cut out of the comments asked for */
    size_t entry_lines;        /* newlines in the current entry */
    /* counted since the last look */
    int64_t entries, entry_bytes, lines, parses, binds, outside, plans; /* plans: let go of */
    double minimum_ms;
    note *notes;
    size_t note_count, note_cap;
    buffer note_texts;
    double *plan_floor;        /* by key: plans that took less would not be kept, -1 all would */
    size_t plan_count;
    /* tables and caches */
    table keys, raws, comments, names;
    session_state *sessions;
    size_t session_count, session_cap;
    phase *phases;
    size_t phase_cap;
    key_parts parts;
    shape *shapes;
    buffer message, detail, scratch;
    uint8_t stamp[64];         /* the last timestamp of an stderr line, and its length */
    size_t stamp_n;
    uint8_t time_text[64];
    size_t time_n;
    int64_t time_us;
    int time_good;
    /* an answer for the current entry alone */
    size_t once_at;
    int once;
    int32_t once_key, once_comment;
    int64_t once_trace;
    int once_has_literals;
    buffer once_literals;
    /* one statement in about `check_every` is kept to be checked */
    int64_t check_every;
    buffer check_text;
    int32_t check_key;
    rows now, before;
} scanner;

scanner *scan_new(int format, int64_t since_us, int64_t until_us, int64_t check_every);
void scan_free(scanner *s);
int scan_prefix(scanner *s, char escape, int field, span literal); /* 0, or -1: too long */
void scan_block(scanner *s, const uint8_t *data, size_t size, int last);
int scan_run(scanner *s);

int scan_set_time(scanner *s, int good, int64_t at_us);
int scan_set_session(scanner *s, int32_t number, int python); /* what else Python knows of it is set behind */
int scan_set_speaker(scanner *s, int32_t database, int32_t user, int32_t application);
int scan_set_key(scanner *s, int32_t key);
int scan_set_text(scanner *s, int32_t key, int32_t comment, int64_t trace, const uint8_t *literals,
                  size_t n); /* literals NULL: none */
int scan_set_comment(scanner *s, int32_t comment, int64_t trace);
void scan_clear_sessions(scanner *s);

/* The key of a statement that was met before, for Python; -1 if it is not known here. */
int32_t scan_known_key(scanner *s, span text);

/* Rows that the Python reader adds, in their order among the others: the row's number, or -1. */
int64_t scan_add_row(scanner *s, int64_t start_us, int64_t end_us, double duration_ms, int32_t key,
                     int64_t line, int64_t query_id, int32_t comment, int64_t trace,
                     const int32_t speaker[4]);
int scan_set_parameters(scanner *s, int64_t row, span text);
void scan_set_flags(scanner *s, int64_t row, int8_t flags);
/* What a note is of. NOTE_FILE: a temporary file whose statement has a key that is known. */
int kind_of_note(const note *n);
/* Plans of a statement that took less than this would not be kept. */
int scan_set_plan_floor(scanner *s, int32_t key, double duration_ms);
/* What is in `before` is complete: forget it, and begin a new chunk. */
void scan_turn(scanner *s);

/* The rows' columns were given to somebody: the next ones get other memory. Texts and ends stay, but where they are
 * borrowed. */
void scan_given(rows *r);

/* Memory for the rows to come, if there are none yet and about as many as last time fit into it: 1 if it is used. It
 * is the lender's, to be kept as long as these rows are. A column that outgrows its place moves to memory of its own. */
int scan_lend(scanner *s, uint8_t *p, size_t size);
/* Whether a column (or the texts, or their ends) is in memory that the rows were lent. */
int rows_borrow(const rows *r, const void *column);

/* Shared by scan.c and events.c. */
void begin(scanner *s, session_state *x);  /* the session has another entry */
void passed(scanner *s, session_state *x); /* it has one outside the window */
void done(scanner *s);                     /* the current entry is read */
int same_speaker(scanner *s, session_state *x);
int speaker_asked(scanner *s);
int joined_lines(buffer *to, span *text);
int untimed(scanner *s, session_state *x);
int told_belonging(scanner *s, session_state *x);
int planned(scanner *s, session_state *x, double duration_ms, span plan);
/* jsonlog.c: a string's end, and what it says. */
const uint8_t *json_string_end(const uint8_t *p, const uint8_t *end, int *escapes);
int json_unescaped(buffer *scratch, const uint8_t *p, const uint8_t *end);

/* Shared by the formats; each fills `field`, `entry_end` and `entry_lines`. SCAN_END with
 * `entry_end` 0: the entry may go on behind the block. */
int stderr_entry(scanner *s);
int csvlog_entry(scanner *s);
int jsonlog_entry(scanner *s);
static inline void no_fields(scanner *s)
{
#ifdef __SSE2__ /* what compilers make of a memset of this size, or of a loop, takes several times as long */
#pragma GCC unroll 16
    for (int i = 0; i < F_COUNT; i++)
        _mm_storeu_si128((__m128i *)&s->field[i], _mm_setzero_si128());
#else
    memset(s->field, 0, sizeof s->field);
#endif
}

int is_text(span text); /* valid UTF-8 without NUL */
int64_t integer_of(span text, int *good);

#endif
