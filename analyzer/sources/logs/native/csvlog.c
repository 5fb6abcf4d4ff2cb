/* csvlog: records of 23, 24 or 26 fields, quoted ones may hold anything. */
#include "scan.h"
#include "steady.h"

#include <string.h>

/* Process, host and session are the same in all records of a session. */
enum { STEADY_FROM = 3, STEADY_TO = 6 };
enum { COLUMNS = 26, OFTEN_EMPTY = 15, EMPTY = 7 }; /* behind DETAIL EMPTY columns rarely hold anything */

/* Which column is which field; the others are passed over. */
static const int8_t field_of[COLUMNS] = {
    F_TIME, F_USER, F_DATABASE, F_PROCESS, -1, F_SESSION, F_LINE, -1, -1, -1, -1, F_SEVERITY,
    F_CODE, F_MESSAGE, F_DETAIL, -1, -1, -1, -1, F_STATEMENT, -1, -1, F_APPLICATION, -1, -1, F_QUERY,
};

#ifdef __SSE2__
/* 64 bytes of the block: which of them are quotes, and which end a field that is not quoted. */
typedef struct { const uint8_t *base, *end; uint64_t quotes, stops; } window;

static void look(window *w, const uint8_t *p)
{
    w->base = p;
    w->quotes = w->stops = 0;
    if (w->end - p < 64) {
        for (int i = 0; p + i < w->end; i++) {
            w->quotes |= (uint64_t)(p[i] == '"') << i;
            w->stops |= (uint64_t)(p[i] == '"' || p[i] == ',' || p[i] == '\n' || p[i] == '\r') << i;
        }
        return;
    }
    for (int i = 0; i < 64; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(p + i));
        __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i stops = _mm_or_si128(quotes, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
        w->quotes |= (uint64_t)(unsigned)_mm_movemask_epi8(quotes) << i;
        w->stops |= (uint64_t)(unsigned)_mm_movemask_epi8(stops) << i;
    }
}

/* Where the field that is not quoted ends, or the block. */
static const uint8_t *stop_from(window *w, const uint8_t *p)
{
    for (; p < w->end; p = w->base + 64) {
        if (p - w->base >= 64)
            look(w, p);
        uint64_t left = w->stops >> (p - w->base);
        if (left)
            return p + __builtin_ctzll(left);
    }
    return w->end;
}

/* The next quote; NULL if the block has none. */
static const uint8_t *quote_from(window *w, const uint8_t *p)
{
    if (p - w->base < 64) {
        uint64_t left = w->quotes >> (p - w->base);
        if (left)
            return p + __builtin_ctzll(left);
        p = w->base + 64;
    }
    p = p < w->end ? memchr(p, '"', (size_t)(w->end - p)) : NULL;
    if (p)
        look(w, p);
    return p;
}
#else
typedef struct { const uint8_t *end; } window;

static void look(window *w, const uint8_t *p) { (void)w, (void)p; }

static const uint8_t *stop_from(window *w, const uint8_t *p)
{
    while (p < w->end && *p != ',' && *p != '\n' && *p != '"' && *p != '\r') p++;
    return p;
}

static const uint8_t *quote_from(window *w, const uint8_t *p)
{
    return memchr(p, '"', (size_t)(w->end - p));
}
#endif

/* Doubled quotes made single, behind what `scratch` holds; offsets, for it may move. */
static int unquoted(buffer *scratch, span *field)
{
    size_t start = scratch->n;
    const uint8_t *p = field->p, *end = p + field->n;
    if (buffer_room(scratch, field->n))
        return -1;
    while ((p = copy_until(scratch, p, end, '"')) < end) {
        scratch->p[scratch->n++] = '"';
        p += 2;
    }
    field->p = NULL;
    field->n = scratch->n - start;
    return 0;
}

/* SCAN_END with `entry_end` 0: the record goes on behind the block. */
int csvlog_entry(scanner *s)
{
    const uint8_t *p = s->data + s->position, *end = s->data + s->size;
    size_t moved[COLUMNS];
    int column = 0, ended = 0;
    uint32_t in_scratch = 0;
    const uint8_t *steady = NULL, *found;
    known_prefix *known = NULL;
    window w = {.end = end};
    look(&w, p);
    no_fields(s);
    s->prefix = NULL;
    s->scratch.n = 0;
    s->entry_end = s->entry_lines = 0;
    while (!ended) {
        if (column == COLUMNS)
            return SCAN_LOST;
        if (column == STEADY_FROM && (known = place_of(s, steady = p, end)) && (found = behind_known(s, known, p, end))) {
            p = found;
            column = STEADY_TO;
        }
        span value;
        if (p < end && *p == '"') {
            const uint8_t *start = ++p;
            int doubled = 0;
            for (;;) {
                p = quote_from(&w, p);
                if (!p || p + 1 == end)
                    return SCAN_END;
                if (p[1] != '"')
                    break;
                doubled = 1;
                p += 2;
            }
            value = (span){start, (size_t)(p - start)};
            p++;
            if (doubled && field_of[column] >= 0) {
                moved[column] = s->scratch.n;
                in_scratch |= 1u << column;
                if (unquoted(&s->scratch, &value))
                    return SCAN_MEMORY;
            }
        } else {
            const uint8_t *start = p;
            p = stop_from(&w, p);
            if (p == end)
                return SCAN_END;
            value = (span){start, (size_t)(p - start)};
        }
        if (*p == '\n')
            ended = 1;
        else if (*p != ',')
            return SCAN_LOST;
        if (field_of[column] >= 0)
            s->field[field_of[column]] = value;
        column++;
        p++;
        if (column == STEADY_TO && known && !ended && !(in_scratch >> STEADY_FROM))
            remember(s, known, steady, p);
        if (column == OFTEN_EMPTY && end - p > EMPTY && same(p, ",,,,,,,", EMPTY)) {
            column += EMPTY;
            p += EMPTY;
        }
    }
    if (column != 23 && column != 24 && column != 26)
        return SCAN_LOST;
    for (; in_scratch; in_scratch &= in_scratch - 1) {
        int i = __builtin_ctz(in_scratch);
        s->field[field_of[i]].p = s->scratch.p + moved[i];
    }
    s->entry_end = (size_t)(p - s->data);
    for (const uint8_t *line = s->data + s->position; line < p; s->entry_lines++)
        line = (const uint8_t *)memchr(line, '\n', (size_t)(p - line)) + 1;
    span code = s->field[F_CODE];
    if (code.n == 5 && memcmp(code.p, "00000", 5) == 0)
        s->field[F_CODE].n = 0;
    return SCAN_END;
}
