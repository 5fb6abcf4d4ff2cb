/* What entries mean, sessions and rows: the twin of meaning.py's hot path. */
#include "scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEYS_MOST = 200000,       /* the tables are caches: they are emptied when they are full */
    RAWS_MOST = 4096,
    COMMENTS_MOST = 16384,
    BYTES_MOST = 32 << 20,
    LONGEST_TEXT = 1 << 20,   /* longer statements are the Python twin's */
    REMEMBERED_TEXT = 8192,
    LOOK_AHEAD = 16 << 10,
};
static const int64_t YEAR_10000 = 253402300800;

scanner *scan_new(int format, int64_t since_us, int64_t until_us, int64_t check_every)
{
    scanner *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->shapes = calloc(SHAPES, sizeof *s->shapes);
    s->known = calloc(REMEMBERED_PREFIXES, sizeof *s->known);
    if (!s->shapes || !s->known) {
        free(s->shapes);
        free(s->known);
        free(s);
        return NULL;
    }
    s->speaker_before = format == SCAN_CSVLOG;
    s->format = format;
    s->since_us = since_us;
    s->until_us = until_us;
    s->check_every = check_every;
    s->minimum_ms = INFINITY;
    s->session = -1;
    s->once_at = (size_t)-1;
    return s;
}

/* Does something with each column of rows. */
#define COLUMNS(r, DO) \
    DO(r->start_us) DO(r->end_us) DO(r->line) DO(r->query_id) DO(r->trace) DO(r->duration_ms) \
    DO(r->key) DO(r->parameters) DO(r->comment) DO(r->session) DO(r->database) DO(r->user) \
    DO(r->application) DO(r->parameters_hash) DO(r->flags)

int rows_borrow(const rows *r, const void *column)
{
    return (uintptr_t)column - (uintptr_t)r->lent < r->lent_size;
}

static void rows_free(rows *r)
{
#define FREE(column) if (!rows_borrow(r, column)) free(column);
    COLUMNS(r, FREE)
    FREE(r->texts.p)
    FREE(r->ends)
#undef FREE
}

void scan_free(scanner *s)
{
    if (!s)
        return;
    table_free(&s->keys);
    table_free(&s->raws);
    table_free(&s->comments);
    table_free(&s->names);
    for (size_t i = 0; i < s->session_count; i++) {
        free(s->sessions[i].who.p);
        free(s->sessions[i].text.p);
    }
    free(s->sessions);
    free(s->known);
    free(s->shapes);
    free(s->phases);
    free(s->plan_floor);
    free(s->notes);
    free(s->note_texts.p);
    key_free(&s->parts);
    free(s->message.p);
    free(s->detail.p);
    free(s->scratch.p);
    free(s->once_literals.p);
    free(s->check_text.p);
    rows_free(&s->now);
    rows_free(&s->before);
    free(s);
}

int scan_prefix(scanner *s, char escape, int field, span literal)
{
    if (s->op_count == PREFIX_OPS || literal.n > sizeof s->ops[0].literal)
        return -1;
    prefix_op *op = &s->ops[s->op_count++];
    op->escape = escape;
    op->field = field;
    op->n = literal.n;
    if (literal.n)
        memcpy(op->literal, literal.p, literal.n);
    /* Each line has it anew; or, behind a host, it may seem to begin a port. */
    if (escape ? !strchr("pPcudarhLib", escape) : op->literal[0] == '(')
        s->steady_from = s->op_count;
    for (int i = 0; i < s->steady_from; i++)
        if (s->ops[i].escape) {
            s->session_before |= strchr("pc", s->ops[i].escape) != NULL;
            s->speaker_before |= strchr("uda", s->ops[i].escape) != NULL;
        }
    return 0;
}

void scan_block(scanner *s, const uint8_t *data, size_t size, int last)
{
    s->last = last;
    s->data = data;
    s->size = size;
    s->position = s->entry_end = s->ascii_end = 0;
    s->once_at = (size_t)-1;
    s->session = -1;
}

void scan_clear_sessions(scanner *s)
{
    for (size_t i = 0; i < s->session_count; i++) {
        free(s->sessions[i].who.p);
        free(s->sessions[i].text.p);
    }
    s->session_count = 0;
    s->session = -1;
    memset(s->known, 0, REMEMBERED_PREFIXES * sizeof *s->known);
    table_clear(&s->names);
}

/* --- rows ------------------------------------------------------------------------------------ */

static int grow(const rows *r, void *column, size_t size, size_t count, size_t cap)
{
    void **at = column, *grown;
    int borrowed = rows_borrow(r, *at);
    grown = borrowed ? malloc(size * cap) : realloc(*at, size * cap);
    if (!grown)
        return -1;
    if (borrowed)
        memcpy(grown, *at, size * count);
    *at = grown;
    return 0;
}

static int rows_grow(rows *r)
{
    size_t cap = r->cap ? r->cap + r->cap / 2 + 64 : r->hint > 4096 ? r->hint : 4096; /* what was lent may be small */
#define GROW(column) if (grow(r, &column, sizeof *column, r->count, cap)) return -1;
    COLUMNS(r, GROW)
#undef GROW
    r->cap = cap;
    return 0;
}

void scan_given(rows *r)
{
    r->hint = r->count + r->count / 8;
    r->ends_hint = r->texts_count + r->texts_count / 8;
    r->texts_hint = r->texts.n + r->texts.n / 8;
    r->cap = r->count = 0;
#define FORGET(column) column = NULL;
    COLUMNS(r, FORGET)
#undef FORGET
    if (rows_borrow(r, r->ends)) {
        r->ends = NULL;
        r->texts_cap = 0;
    }
    if (r->texts.lent)
        r->texts = (buffer){NULL, 0, 0, 0};
    r->lent = NULL;
    r->lent_size = 0;
}

static size_t apart(size_t size)
{
    return (size + 63) & ~(size_t)63; /* columns share no line of the processor's cache */
}

int scan_lend(scanner *s, uint8_t *p, size_t size)
{
    rows *r = &s->now;
    if (r->count || r->cap)
        return 0;
    size_t cap = r->hint, ends = r->ends_hint, used = r->texts_hint;
    if (!cap)
        cap = ends = size / 128; /* of a usual log: as many bytes of texts are left for each */
#define ADD(column) used += apart(sizeof *column * cap);
    COLUMNS(r, ADD)
#undef ADD
    used += apart(sizeof *r->ends * ends);
    if (used >= size)
        return 0;
    if (!rows_borrow(r, r->ends))
        free(r->ends);
    if (!r->texts.lent)
        free(r->texts.p);
    r->lent = p;
    r->lent_size = size;
#define PLACE(column) column = (void *)p; p += apart(sizeof *column * cap);
    COLUMNS(r, PLACE)
#undef PLACE
    r->cap = cap;
    r->ends = (int64_t *)p;
    r->texts_cap = ends;
    r->texts_count = 0;
    p += apart(sizeof *r->ends * ends);
    r->texts = (buffer){p, 0, (size_t)(r->lent + size - p), 1};
    return 1;
}

int64_t scan_add_row(scanner *s, int64_t start_us, int64_t end_us, double duration_ms, int32_t key,
                     int64_t line, int64_t query_id, int32_t comment, int64_t trace,
                     const int32_t speaker[4])
{
    rows *r = &s->now;
    if (r->count == r->cap && rows_grow(r))
        return -1;
    size_t i = r->count++;
    r->start_us[i] = start_us;
    r->end_us[i] = end_us;
    r->duration_ms[i] = duration_ms;
    r->key[i] = key;
    r->line[i] = line;
    r->query_id[i] = query_id;
    r->comment[i] = comment;
    r->trace[i] = trace;
    r->session[i] = speaker[0];
    r->database[i] = speaker[1];
    r->user[i] = speaker[2];
    r->application[i] = speaker[3];
    r->parameters[i] = -1;
    r->parameters_hash[i] = 0;
    r->flags[i] = 0;
    return r->base + (int64_t)i;
}

static rows *rows_of(scanner *s, int64_t row)
{
    if (row >= s->now.base)
        return row - s->now.base < (int64_t)s->now.count ? &s->now : NULL;
    return row >= s->before.base && row - s->before.base < (int64_t)s->before.count ? &s->before : NULL;
}

/* Put before those that the row has: the values of $n before the literals of the text, as
   with_literals in rows.py. */
int scan_set_parameters(scanner *s, int64_t row, span text)
{
    rows *r = rows_of(s, row);
    if (!r)
        return 0;
    int32_t before = r->parameters[row - r->base];
    size_t start = r->texts.n;
    if (r->texts_count == r->texts_cap) {
        size_t cap = r->texts_cap ? r->texts_cap * 2 : 4096;
        if (grow(r, &r->ends, sizeof *r->ends, r->texts_count, cap))
            return -1;
        r->texts_cap = cap;
    }
    if (buffer_add(&r->texts, text.p, text.n))
        return -1;
    if (before >= 0) {
        size_t from = before ? (size_t)r->ends[before - 1] : 0, n = (size_t)r->ends[before] - from;
        if (buffer_add(&r->texts, (const uint8_t *)"\x1f", 1) || buffer_room(&r->texts, n))
            return -1;
        memcpy(r->texts.p + r->texts.n, r->texts.p + from, n); /* it may have moved: not by a span */
        r->texts.n += n;
    }
    r->parameters[row - r->base] = (int32_t)r->texts_count;
    r->parameters_hash[row - r->base] = crc_of((span){r->texts.p + start, r->texts.n - start});
    r->ends[r->texts_count++] = (int64_t)r->texts.n;
    return 0;
}

void scan_set_flags(scanner *s, int64_t row, int8_t flags)
{
    rows *r = rows_of(s, row);
    if (r)
        r->flags[row - r->base] |= flags;
}

void scan_turn(scanner *s)
{
    rows spare = s->before;
    s->before = s->now;
    spare.base = s->before.base + (int64_t)s->before.count;
    spare.count = spare.texts_count = spare.texts.n = 0;
    s->now = spare;
}

/* --- small readers --------------------------------------------------------------------------- */

/* Behind the ASCII characters (but NUL) that p begins with, as many as are quickly seen. */
static const uint8_t *behind_ascii(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    const __m128i zero = _mm_setzero_si128();
    for (; end - p >= 64; p += 64) {
        const __m128i *at = (const __m128i *)p;
        __m128i a = _mm_loadu_si128(at), b = _mm_loadu_si128(at + 1);
        __m128i c = _mm_loadu_si128(at + 2), d = _mm_loadu_si128(at + 3);
        /* as signed numbers, those beyond ASCII are below zero */
        __m128i high = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
        __m128i least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));
        if (_mm_movemask_epi8(_mm_or_si128(high, _mm_cmpeq_epi8(least, zero))))
            break;
    }
    for (; end - p >= 16; p += 16)
        if (_mm_movemask_epi8(_mm_cmpgt_epi8(_mm_loadu_si128((const __m128i *)p), zero)) != 0xFFFF)
            break;
#endif
    while (p < end && *p && *p < 0x80) p++;
    return p;
}

int is_text(span text)
{
    const uint8_t *p = text.p, *end = p + text.n;
    while ((p = behind_ascii(p, end)) < end) {
        uint8_t c = *p++;
        int more = c >= 0xC2 && c <= 0xDF ? 1 : (c & 0xF0) == 0xE0 ? 2 : c >= 0xF0 && c <= 0xF4 ? 3 : 0;
        if (!more || end - p < more)
            return 0;
        if ((c == 0xE0 && p[0] < 0xA0) || (c == 0xED && p[0] > 0x9F) || (c == 0xF0 && p[0] < 0x90)
            || (c == 0xF4 && p[0] > 0x8F))
            return 0;
        while (more--)
            if ((*p++ & 0xC0) != 0x80)
                return 0;
    }
    return 1;
}

/* is_text() of the current entry, looking some way ahead: most of a log is plain ASCII. */
static int entry_is_text(scanner *s)
{
    size_t start = s->ascii_end > s->position ? s->ascii_end : s->position;
    size_t end = start + LOOK_AHEAD;
    if (s->entry_end <= s->ascii_end)
        return 1;
    end = end < s->entry_end ? s->entry_end : end < s->size ? end : s->size;
    s->ascii_end = (size_t)(behind_ascii(s->data + start, s->data + end) - s->data);
    if (s->entry_end <= s->ascii_end)
        return 1;
    if (!is_text((span){s->data + s->ascii_end, s->entry_end - s->ascii_end}))
        return 0;
    s->ascii_end = s->entry_end;
    return 1;
}

/* Whether p begins with eight digits, and their value: pairs of neighbours are added up, thrice. */
static int eight_digits(const uint8_t *p, uint64_t *value)
{
    uint64_t eight = 0;
    for (int i = 0; i < 8; i++)
        eight |= (uint64_t)p[i] << 8 * i;
    if (((eight & (eight + 0x0606060606060606u)) & 0xf0f0f0f0f0f0f0f0u) != 0x3030303030303030u)
        return 0;
    eight = (eight & 0x0f0f0f0f0f0f0f0fu) * (10 << 8 | 1) >> 8;
    eight = (eight & 0x00ff00ff00ff00ffu) * (100 << 16 | 1) >> 16;
    *value = (eight & 0x0000ffff0000ffffu) * ((uint64_t)10000 << 32 | 1) >> 32;
    return 1;
}

int64_t integer_of(span text, int *good)
{
    const uint8_t *p = text.p, *end = p + text.n;
    int negative = p < end && *p == '-';
    int64_t value = 0;
    uint64_t eight;
    p += negative;
    *good = p < end && end - p <= 19;
    for (; *good && end - p >= 8 && eight_digits(p, &eight); p += 8)
        value = value * 100000000 + (int64_t)eight;
    for (; *good && p < end; p++) {
        *good = *p >= '0' && *p <= '9' && !__builtin_mul_overflow(value, 10, &value)
             && !__builtin_add_overflow(value, *p - '0', &value);
    }
    return negative ? -value : value;
}

/* The key of a timestamp (its text up to the second, and the zone) and its milliseconds. */
static int time_of(scanner *s, int64_t *at_us)
{
    span time = s->field[F_TIME];
    size_t n = time.n, head = time.n;
    int64_t milliseconds = 0;
    if (!n || n > sizeof s->time_text)
        return SCAN_DECLINE;
    if (n >= 13 && n <= 15 && time.p[n - 4] == '.') { /* %n: seconds since the epoch */
        int64_t seconds = 0;
        for (size_t i = 0; i < n; i++)
            if (i != n - 4) {
                if (time.p[i] < '0' || time.p[i] > '9')
                    return SCAN_DECLINE;
                seconds = seconds * 10 + (time.p[i] - '0');
            }
        if (seconds >= YEAR_10000 * 1000)
            return SCAN_DECLINE;
        *at_us = seconds * 1000;
        return SCAN_END;
    }
    if (n >= 23 && time.p[19] == '.') {
        for (int i = 20; i < 23; i++) {
            if (time.p[i] < '0' || time.p[i] > '9')
                return SCAN_DECLINE;
            milliseconds = milliseconds * 10 + (time.p[i] - '0');
        }
        if (n > 23 && time.p[23] != ' ')
            return SCAN_DECLINE;
        head = 19;
    } else if (n < 19 || (n > 19 && time.p[19] != ' ')) {
        return SCAN_DECLINE;
    }
    const size_t rest = n - head - (n > head ? 4 : 0); /* behind the milliseconds */
    const uint8_t *zone = time.p + n - rest;
    n = head + rest;
    if (n != s->time_n || !same(time.p, s->time_text, 16)
        || !same(time.p + 16, s->time_text + 16, head - 16) || !same(zone, s->time_text + head, rest)) {
        memcpy(s->time_text, time.p, head);
        memcpy(s->time_text + head, zone, rest);
        s->time_n = n;
        s->ask[0] = (span){s->time_text, n};
        return SCAN_TIME;
    }
    if (!s->time_good)
        return SCAN_DECLINE;
    *at_us = s->time_us + milliseconds * 1000;
    return SCAN_END;
}

int scan_set_time(scanner *s, int good, int64_t at_us)
{
    s->time_good = good;
    s->time_us = at_us;
    return 0;
}

/* `duration: 0.123 ms  execute name: …`. 0: it is not so, or not for us. */
enum { K_STATEMENT = 1, K_EXECUTE, K_PARSE, K_BIND, K_PLAN };

static int duration_of(span message, double *duration_ms, span *text)
{
    static const struct { const char *name; size_t n; int kind; } kinds[] = {
        {"execute", 7, K_EXECUTE}, {"statement", 9, K_STATEMENT}, {"bind", 4, K_BIND},
        {"parse", 5, K_PARSE},
    };
    const uint8_t *p = message.p, *end = p + message.n;
    if (message.n < 16 || !same(p, "duration: ", 10))
        return 0;
    p += 10;
    int64_t value = 0;
    int whole = 0, fraction = 0;
    for (; p < end && *p >= '0' && *p <= '9' && whole < 12; p++, whole++)
        value = value * 10 + (*p - '0');
    if (!whole)
        return 0;
    if (p < end && *p == '.') {
        for (p++; p < end && *p >= '0' && *p <= '9' && fraction < 3; p++, fraction++)
            value = value * 10 + (*p - '0');
        if (!fraction)
            return 0;
    }
    static const double scale[] = {1.0, 10.0, 100.0, 1000.0};
    *duration_ms = (double)value / scale[fraction];
    if (end - p < 6 || memcmp(p, " ms  ", 5))
        return 0;
    p += 5;
    if (end - p > 6 && same(p, "plan:\n", 6)) {
        *text = (span){p + 5, (size_t)(end - p - 5)};
        return K_PLAN;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = kinds[i].n;
        if ((size_t)(end - p) < n + 2 || !same(p, kinds[i].name, n))
            continue;
        p += n;
        if (*p == ' ') { /* a name, up to the first ": " of the line */
            const uint8_t *colon = p;
            do {
                colon = memchr(colon + 1, ':', (size_t)(end - colon - 1));
            } while (colon && colon + 1 < end && colon[1] != ' ' && colon[1] != '\n' && colon[1] != '\r');
            if (!colon || colon + 1 >= end || memchr(p, '\n', (size_t)(colon - p)))
                return 0;
            p = colon;
        }
        if (p[0] != ':' || end - p < 2 || p[1] != ' ')
            return 0;
        *text = (span){p + 2, (size_t)(end - p - 2)};
        return kinds[i].kind;
    }
    return 0;
}

/* A newline inside an stderr entry has a TAB put behind it. */
int joined_lines(buffer *to, span *text)
{
    const uint8_t *p = text->p, *end = p + text->n;
    to->n = 0;
    if (buffer_room(to, text->n))
        return -1;
    while ((p = copy_until(to, p, end, '\n')) < end) {
        to->p[to->n++] = '\n';
        p += 2;
    }
    *text = (span){to->p, to->n};
    return 0;
}

/* --- sessions -------------------------------------------------------------------------------- */

static int session_of(scanner *s)
{
    span name = s->field[F_SESSION].n ? s->field[F_SESSION] : s->field[F_PROCESS];
    if (s->format != SCAN_STDERR)
        name = s->field[F_SESSION];
    if (s->prefix && s->prefix->session >= 0) {
        s->session = s->prefix->session;
        return SCAN_END;
    }
    if (!name.n) {
        s->session = -1;
        return SCAN_DECLINE;
    }
    item *found = table_find(&s->names, name, hash_of(name));
    if (!found) {
        s->session = -1;
        s->ask[0] = name;
        return SCAN_SESSION;
    }
    s->session = found->key;
    if (s->prefix)
        s->prefix->session = found->key;
    return SCAN_END;
}

int scan_set_session(scanner *s, int32_t number, int python)
{
    if (s->session_count == s->session_cap) {
        size_t cap = s->session_cap ? s->session_cap * 2 : 256;
        session_state *grown = realloc(s->sessions, cap * sizeof *grown);
        if (!grown)
            return -1;
        s->sessions = grown;
        s->session_cap = cap;
    }
    item *made = table_add(&s->names, s->ask[0], hash_of(s->ask[0]));
    if (!made)
        return -1;
    made->key = (int32_t)s->session_count;
    session_state *x = &s->sessions[s->session_count++];
    *x = (session_state){.row = -1, .number = number, .key = -1, .comment = -1, .timed_key = -1,
                         .phased_us = -1, .other = 1, .waits = WAITS_UNKNOWN, .python = (uint8_t)(python != 0)};
    return 0;
}

/* Whether the session's user, database and application are those of the entry. */
int same_speaker(scanner *s, session_state *x)
{
    static const int names[] = {F_USER, F_DATABASE, F_APPLICATION};
    const span *field = s->field;
    const uint8_t *p = x->who.p;
    if (!x->spoken)
        return 0;
    known_prefix *prefix = s->speaker_before ? NULL : s->prefix;
    if (prefix && prefix->speaks == x->spoken)
        return 1;
    if (x->who.n != field[F_USER].n + field[F_DATABASE].n + field[F_APPLICATION].n + 2)
        return 0;
    for (int i = 0; i < 3; i++) {
        span name = field[names[i]];
        if (name.n && !same(p, name.p, name.n))
            return 0;
        p += name.n;
        if (i < 2 && *p++ != 0)
            return 0;
    }
    if (prefix)
        prefix->speaks = x->spoken;
    return 1;
}

int speaker_asked(scanner *s)
{
    s->ask[0] = s->field[F_USER];
    s->ask[1] = s->field[F_DATABASE];
    s->ask[2] = s->field[F_APPLICATION];
    return SCAN_SPEAKER;
}

int scan_set_speaker(scanner *s, int32_t database, int32_t user, int32_t application)
{
    session_state *x = &s->sessions[s->session];
    x->who.n = 0;
    for (int i = 0; i < 3; i++)
        if (buffer_add(&x->who, s->ask[i].p, s->ask[i].n)
            || (i < 2 && buffer_add(&x->who, (const uint8_t *)"", 1)))
            return -1;
    x->database = database;
    x->user = user;
    x->application = application;
    x->spoken++;
    return 0;
}

/* --- keys ------------------------------------------------------------------------------------ */

typedef struct { int32_t key, comment; int64_t trace; int has_literals; span literals; } keyed;

static void bound(table *t, size_t most)
{
    if (t->count >= most || t->bytes.n > BYTES_MOST)
        table_clear(t);
}

/* The trace id of a sqlcommenter traceparent (see analyzer/sql/comments.py), cut out of comments. */
static int cut_trace(buffer *comments, int64_t *trace)
{
    static const char name[] = "traceparent='";
    static const uint8_t dashes[] = {2, 35, 52};
    const size_t n = sizeof name - 1, value = 55;
    uint8_t *p = comments->p, *end = p + comments->n;
    while ((p = memchr(p, '\'', (size_t)(end - p))) && (size_t)(end - p) >= 1 + value + 1) {
        p++;
        if ((size_t)(p - comments->p) < n || memcmp(p - n, name, n))
            continue;
        uint64_t id = 0;
        int good = p[value] == '\'';
        for (size_t k = 0; good && k < value; k++) {
            int c = p[k];
            int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
            int dash = k == dashes[0] || k == dashes[1] || k == dashes[2];
            good = dash ? c == '-' : digit >= 0;
            if (!dash && k >= 19 && k < 35)
                id = id << 4 | (uint64_t)digit;
        }
        if (!good)
            continue;
        *trace = (int64_t)(id & 0x7fffffffffffffffu);
        *trace += !*trace;
        memmove(p, p + value, comments->n - (size_t)(p + value - comments->p));
        comments->n -= value;
        return 1;
    }
    return 0;
}

/* The number of the comments in `parts`; SCAN_COMMENT if they are new. */
static int comment_of(scanner *s, keyed *out)
{
    int64_t trace = 0;
    buffer *comments = &s->parts.comments;
    out->comment = -1;
    out->trace = 0;
    if (!s->parts.has_comments)
        return SCAN_END;
    s->detail.n = 0; /* the whole of it, should it be asked for */
    if (buffer_add(&s->detail, comments->p, comments->n))
        return SCAN_MEMORY;
    int cut = cut_trace(comments, &trace);
    span text = {comments->p, comments->n};
    /* The same text with and without a trace cut out of it are told apart by the hash. */
    uint64_t hash = hash_of(text) ^ (uint64_t)cut;
    item *found = table_find(&s->comments, text, hash);
    if (!found) {
        s->ask[0] = (span){s->detail.p, s->detail.n};
        s->ask_kind = cut;
        s->ask_trace = trace;
        return SCAN_COMMENT;
    }
    out->comment = found->comment;
    out->trace = found->trace ? found->trace : trace;
    return SCAN_END;
}

int scan_set_comment(scanner *s, int32_t comment, int64_t trace)
{
    span text = {s->parts.comments.p, s->parts.comments.n};
    bound(&s->comments, COMMENTS_MOST);
    item *made = table_add(&s->comments, text, hash_of(text) ^ (uint64_t)s->ask_kind);
    if (!made)
        return -1;
    made->comment = comment;
    /* That which was cut out is another each time; one that a job's id goes before is not. */
    made->trace = s->ask_kind && trace == s->ask_trace ? 0 : trace;
    return 0;
}

/* What `parts` tell of a text with this key. */
static int parts_of(scanner *s, int32_t key, keyed *out)
{
    out->key = key;
    out->has_literals = s->parts.has_literals;
    out->literals = (span){s->parts.literals.p, s->parts.literals.n};
    return comment_of(s, out);
}

static int key_of_text(scanner *s, span text, keyed *out)
{
    if (s->once_at == s->position) { /* it was just answered, for this entry alone */
        *out = (keyed){s->once_key, s->once_comment, s->once_trace, s->once_has_literals,
                       {s->once_literals.p, s->once_literals.n}};
        return SCAN_END;
    }
    shape *like = text.n > LONGEST_TEXT ? NULL : shape_place(s->shapes, text);
    int fits = like ? shape_fits(like, text, &s->parts) : 0;
    if (fits > 0)
        return parts_of(s, like->key, out);
    int kind = fits < 0 ? KEY_MEMORY : text.n > LONGEST_TEXT ? KEY_UNSURE : key_of(text, &s->parts);
    if (kind == KEY_MEMORY)
        return SCAN_MEMORY;
    s->ask[0] = text;
    s->ask_kind = kind;
    if (kind == KEY_UNSURE)
        return SCAN_TEXT;
    if (kind == KEY_RAW) {
        item *found = table_find(&s->raws, text, hash_of(text));
        if (!found)
            return SCAN_TEXT;
        *out = (keyed){found->key, found->comment, found->trace, 0, {0}};
        return SCAN_END;
    }
    span key = {s->parts.key.p, s->parts.key.n};
    item *found = table_find(&s->keys, key, hash_of(key));
    if (!found)
        return SCAN_KEY;
    if (like)
        shape_set(like, text, &s->parts, found->key);
    return parts_of(s, found->key, out);
}

int32_t scan_known_key(scanner *s, span text)
{
    int kind = text.n > LONGEST_TEXT ? KEY_UNSURE : key_of(text, &s->parts);
    if (kind != KEY_STRIPPED && kind != KEY_RAW)
        return -1;
    span key = kind == KEY_RAW ? text : (span){s->parts.key.p, s->parts.key.n};
    item *found = table_find(kind == KEY_RAW ? &s->raws : &s->keys, key, hash_of(key));
    return found ? found->key : -1;
}

int scan_set_key(scanner *s, int32_t key)
{
    span text = {s->parts.key.p, s->parts.key.n};
    bound(&s->keys, KEYS_MOST);
    item *made = table_add(&s->keys, text, hash_of(text));
    if (!made)
        return -1;
    made->key = key;
    return 0;
}

int scan_set_text(scanner *s, int32_t key, int32_t comment, int64_t trace, const uint8_t *literals,
                  size_t n)
{
    if (s->ask_kind == KEY_RAW && !literals && s->ask[0].n <= REMEMBERED_TEXT) {
        bound(&s->raws, RAWS_MOST);
        item *made = table_add(&s->raws, s->ask[0], hash_of(s->ask[0]));
        if (!made)
            return -1;
        made->key = key;
        made->comment = comment;
        made->trace = trace;
        return 0;
    }
    s->once_at = s->position;
    s->once_key = key;
    s->once_comment = comment;
    s->once_trace = trace;
    s->once_has_literals = literals != NULL;
    s->once_literals.n = 0;
    return literals ? buffer_add(&s->once_literals, literals, n) : 0;
}

/* --- entries --------------------------------------------------------------------------------- */

static phase *phase_of(scanner *s, int32_t key)
{
    if ((size_t)key >= s->phase_cap) {
        size_t cap = s->phase_cap ? s->phase_cap : 1024;
        while (cap <= (size_t)key)
            cap *= 2;
        phase *grown = realloc(s->phases, cap * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + s->phase_cap, 0, (cap - s->phase_cap) * sizeof *grown);
        s->phases = grown;
        s->phase_cap = cap;
    }
    return &s->phases[key];
}

static int is_parameters(span detail)
{
    return detail.n >= 12 && (detail.p[0] | 32) == 'p' && memcmp(detail.p + 1, "arameters: ", 11) == 0;
}

void done(scanner *s)
{
    s->entry_bytes += (int64_t)(s->entry_end - s->position);
    s->lines += (int64_t)s->entry_lines;
    s->position = s->entry_end;
}

void begin(scanner *s, session_state *x)
{
    s->entries++;
    x->row = -1;
    x->other = 0;
}

void passed(scanner *s, session_state *x)
{
    begin(s, x);
    x->cleared = 1;
    s->outside++;
    done(s);
}

static int execution(scanner *s, session_state *x, int64_t at_us, double duration_ms,
                     const keyed *found, span detail)
{
    int good = 1;
    int64_t line = 0, query_id = 0;
    if (s->field[F_LINE].n) {
        line = integer_of(s->field[F_LINE], &good);
        if (!good && s->format != SCAN_STDERR)
            return SCAN_DECLINE;
        line = good ? line : 0;
    }
    int numbered = s->field[F_LINE].n != 0;
    if (s->field[F_QUERY].n) {
        query_id = integer_of(s->field[F_QUERY], &good);
        query_id = good ? query_id : 0;
    }
    if (!same_speaker(s, x))
        return speaker_asked(s);
    const int32_t speaker[4] = {x->number, x->database, x->user, x->application};
    begin(s, x);
    x->row = scan_add_row(s, at_us - (int64_t)(duration_ms * 1000.0 + 0.5), at_us, duration_ms,
                          found->key, numbered ? line : s->entries, query_id, found->comment,
                          found->trace, speaker);
    if (x->row < 0)
        return SCAN_MEMORY;
    if (found->has_literals && scan_set_parameters(s, x->row, found->literals))
        return SCAN_MEMORY;
    if (!detail.n || !is_parameters(detail))
        return SCAN_END;
    detail = (span){detail.p + 12, detail.n - 12};
    return scan_set_parameters(s, x->row, detail) ? SCAN_MEMORY : SCAN_END;
}

/* Keep the text of a statement whose key is to be checked: the twin of is_checked in keys.py. */
static int checked(scanner *s, span text, int32_t key, int64_t at_us, double duration_ms)
{
    if (!s->check_every || (at_us / 1000 + (int64_t)(duration_ms * 1000.0 + 0.5)) % s->check_every)
        return 0;
    s->check_text.n = 0;
    s->check_key = key;
    return buffer_add(&s->check_text, text.p, text.n);
}

static int timed(scanner *s, session_state *x, int64_t at_us)
{
    span text = {0}, detail = s->field[F_DETAIL];
    double duration_ms = 0;
    keyed found = {0};
    span message = s->field[F_MESSAGE];
    if (s->format == SCAN_STDERR && message.n > 7 && memcmp(message.p, "00000: ", 7) == 0)
        message = (span){message.p + 7, message.n - 7}; /* log_error_verbosity = verbose */
    int kind = duration_of(message, &duration_ms, &text);
    if (!kind)
        return SCAN_DECLINE;
    if (at_us < s->since_us || at_us >= s->until_us) {
        passed(s, x);
        return SCAN_END;
    }
    if (kind == K_PLAN)
        return planned(s, x, duration_ms, text);
    if (s->format == SCAN_STDERR && s->entry_lines > 1 && joined_lines(&s->message, &text))
        return SCAN_MEMORY;
    /* parse, bind, execute and loops repeat the statement before */
    if (x->text.n && x->text.n == text.n && memcmp(x->text.p, text.p, text.n) == 0) {
        found.key = x->key;
        found.comment = x->comment;
        found.trace = x->trace;
    } else {
        int answer = key_of_text(s, text, &found);
        if (answer != SCAN_END)
            return answer;
        x->text.n = 0;
        if (!found.has_literals && text.n <= REMEMBERED_TEXT) {
            if (buffer_add(&x->text, text.p, text.n))
                return SCAN_MEMORY;
            x->key = found.key;
            x->comment = found.comment;
            x->trace = found.trace;
        }
    }
    if (kind == K_EXECUTE || kind == K_STATEMENT) {
        int answer = execution(s, x, at_us, duration_ms, &found, detail);
        if (answer != SCAN_END)
            return answer;
    } else {
        phase *totals = phase_of(s, found.key);
        if (!totals)
            return SCAN_MEMORY;
        begin(s, x);
        if (kind == K_BIND) {
            s->binds++;
            totals->binds++;
            totals->bind_ns += (int64_t)(duration_ms * 1e6 + 0.5);
        } else {
            s->parses++;
            totals->parses++;
            totals->parse_ns += (int64_t)(duration_ms * 1e6 + 0.5);
        }
    }
    x->timed = x->used = 1;
    x->timed_key = found.key;
    x->phased_us = kind == K_EXECUTE || kind == K_STATEMENT ? -1 : at_us;
    if (duration_ms < s->minimum_ms)
        s->minimum_ms = duration_ms;
    if (checked(s, text, found.key, at_us, duration_ms))
        return SCAN_MEMORY;
    done(s);
    return SCAN_END;
}

static int belongs(span severity)
{
    static const char *kinds[] = {"DETAIL", "STATEMENT", "HINT", "CONTEXT", "QUERY", "LOCATION"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i]) == severity.n && memcmp(kinds[i], severity.p, severity.n) == 0)
            return 1;
    return 0;
}

/* A line of stderr that belongs to the entry before it in its session. */
static int belonging(scanner *s, session_state *x)
{
    span text = s->field[F_MESSAGE];
    if (x->other)
        return told_belonging(s, x);
    if (s->field[F_SEVERITY].n == 6 && s->field[F_SEVERITY].p[0] == 'D' && x->row >= 0
        && is_parameters(text)) {
        text = (span){text.p + 12, text.n - 12};
        if ((s->entry_lines > 1 && joined_lines(&s->detail, &text)) || scan_set_parameters(s, x->row, text))
            return SCAN_MEMORY;
    }
    done(s);
    return SCAN_END;
}

static int one_entry(scanner *s)
{
    int64_t at_us = 0;
    s->session = -1;
    s->understood = 0;
    int answer = s->format == SCAN_STDERR ? stderr_entry(s)
               : s->format == SCAN_CSVLOG ? csvlog_entry(s) : jsonlog_entry(s);
    if (answer != SCAN_END || !s->entry_end)
        return answer;
    if (!entry_is_text(s))
        return SCAN_DECLINE;
    answer = session_of(s);
    if (answer != SCAN_END)
        return answer;
    session_state *x = &s->sessions[s->session];
    span severity = s->field[F_SEVERITY];
    answer = time_of(s, &at_us);
    if (answer != SCAN_END)
        return answer;
    s->at_us = at_us;
    s->understood = severity.n != 0;
    if (x->python || !severity.n)
        return SCAN_DECLINE;
    if (s->format == SCAN_CSVLOG && !s->field[F_LINE].n)
        return SCAN_DECLINE;
    if (severity.n != 3 || !same(severity.p, "LOG", 3))
        return s->format == SCAN_STDERR && belongs(severity) ? belonging(s, x) : untimed(s, x);
    span message = s->field[F_MESSAGE];
    int is_timed = message.n > 10 && (same(message.p, "duration: ", 10)
                                      || (s->format == SCAN_STDERR && message.n > 7 && message.p[5] == ':'));
    if (!is_timed || (s->field[F_CODE].n && s->format != SCAN_STDERR))
        return untimed(s, x);
    return timed(s, x, at_us);
}

int scan_run(scanner *s)
{
    while (s->position < s->size) {
        size_t before = s->position;
        int answer = one_entry(s);
        if (answer != SCAN_END)
            return answer;
        if (s->check_text.n)
            return SCAN_CHECK;
        if (s->position == before)
            break;
    }
    return SCAN_END;
}
