/* jsonlog: a flat object of strings and numbers on each line. */
#include "scan.h"

#include <string.h>

enum { LONGEST_KEY = 16, LONGEST_NUMBER = 300 }; /* Python reads no number of thousands of digits */

/* By length: no more than two are of one. */
static const struct { const char *name; int field; } names[LONGEST_KEY + 1][2] = {
    [3] = {{"pid", F_PROCESS}}, [4] = {{"user", F_USER}}, [7] = {{"message", F_MESSAGE}},
    [6] = {{"dbname", F_DATABASE}, {"detail", F_DETAIL}},
    [8] = {{"line_num", F_LINE}, {"query_id", F_QUERY}},
    [9] = {{"timestamp", F_TIME}, {"statement", F_STATEMENT}},
    [10] = {{"session_id", F_SESSION}, {"state_code", F_CODE}},
    [14] = {{"error_severity", F_SEVERITY}}, [16] = {{"application_name", F_APPLICATION}},
};

static int field_named(span name)
{
    for (int i = 0; name.n <= LONGEST_KEY && i < 2 && names[name.n][i].name; i++)
        if (same(name.p, names[name.n][i].name, name.n))
            return names[name.n][i].field;
    return -1;
}

static int hex4(const uint8_t *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int c = p[i], lower = c | 32;
        int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static size_t utf8_of(uint32_t code, uint8_t *to)
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xC0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xE0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 63));
        to[2] = (uint8_t)(0x80 | (code & 63));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 63));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 63));
    to[3] = (uint8_t)(0x80 | (code & 63));
    return 4;
}

static const uint8_t escaped[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

/* Escapes of a string resolved, behind what `scratch` holds. -1: not for us; -2: no memory. */
int json_unescaped(buffer *scratch, const uint8_t *p, const uint8_t *end)
{
    if (buffer_room(scratch, (size_t)(end - p))) /* no escape is shorter than what it is for */
        return -2;
    while ((p = copy_until(scratch, p, end, '\\')) < end) {
        if (++p == end)
            return -1;
        if (escaped[*p]) {
            scratch->p[scratch->n++] = escaped[*p++];
        } else {
            int code = *p == 'u' && end - p >= 5 ? hex4(p + 1) : -1;
            p += 5;
            if (code <= 0)
                return -1;
            uint32_t whole = (uint32_t)code;
            if (code >= 0xD800 && code < 0xE000) {
                int low = code < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2) : -1;
                if (low < 0xDC00 || low > 0xDFFF)
                    return -1;
                whole = 0x10000 + ((uint32_t)(code - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
                p += 6;
            }
            scratch->n += utf8_of(whole, scratch->p + scratch->n);
        }
    }
    return 0;
}

/* Behind the closing quote of a string whose text begins at p; NULL if it holds a raw control
 * character or does not end. */
const uint8_t *json_string_end(const uint8_t *p, const uint8_t *end, int *escapes)
{
    for (;; p++) {
#ifdef __SSE2__
        for (; end - p >= 16; p += 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)p);
            __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                         _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
            __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
            int mask = _mm_movemask_epi8(_mm_or_si128(found, control));
            if (mask) {
                p += __builtin_ctz((unsigned)mask);
                break;
            }
        }
#endif
        if (p >= end)
            return NULL;
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            *escapes = 1;
            p++;
        } else if (*p < 0x20) {
            return NULL;
        }
    }
}

static const uint8_t *blank(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) p++;
    return p;
}

/* A number or a literal name: its end, NULL if it is neither, or Python is to say. */
static const uint8_t *plain_end(const uint8_t *p, const uint8_t *end)
{
    static const char *words[] = {"null", "true", "false"};
    for (int i = 0; i < 3 && p < end && *p > '9'; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - p) >= n && same(p, words[i], n))
            return p + n;
    }
    const uint8_t *q = p + (p < end && *p == '-');
    const uint8_t *first = q;
    while (q < end && *q >= '0' && *q <= '9') q++;
    return q == first || q - first > LONGEST_NUMBER || (*first == '0' && q > first + 1) ? NULL : q;
}

int jsonlog_entry(scanner *s)
{
    const uint8_t *p = s->data + s->position, *end = s->data + s->size;
    size_t moved[F_COUNT];
    uint32_t in_scratch = 0;
    const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));
    no_fields(s);
    s->scratch.n = 0;
    s->entry_end = 0;
    if (!newline)
        return SCAN_END;
    end = newline;
    s->entry_lines = 1;
    s->entry_end = (size_t)(end + 1 - s->data);
    p = blank(p, end);
    if (p == end || *p++ != '{')
        return SCAN_DECLINE;
    for (;;) {
        int escapes = 0;
        p = blank(p, end);
        if (p == end || *p != '"')
            return SCAN_DECLINE;
        const uint8_t *start = p + 1;
        p = json_string_end(start, end, &escapes);
        if (!p || escapes)
            return SCAN_DECLINE;
        int field = field_named((span){start, (size_t)(p - 1 - start)});
        p = blank(p, end);
        if (p == end || *p++ != ':')
            return SCAN_DECLINE;
        p = blank(p, end);
        if (p < end && *p == '"') {
            start = p + 1;
            p = json_string_end(start, end, &escapes);
            if (!p)
                return SCAN_DECLINE;
            if (field == F_LINE || field == F_QUERY || field == F_PROCESS)
                return SCAN_DECLINE;
            span value = {start, (size_t)(p - 1 - start)};
            if (escapes) { /* also of a field that is passed over: it must be right */
                size_t at = s->scratch.n;
                int bad = json_unescaped(&s->scratch, start, p - 1);
                if (bad)
                    return bad == -2 ? SCAN_MEMORY : SCAN_DECLINE;
                if (field >= 0) {
                    moved[field] = at;
                    value.n = s->scratch.n - at;
                }
            }
            if (field >= 0) {
                s->field[field] = value;
                in_scratch = escapes ? in_scratch | 1u << field : in_scratch & ~(1u << field);
            }
        } else {
            start = p;
            p = plain_end(p, end);
            if (!p || (field >= 0 && field != F_LINE && field != F_QUERY && field != F_PROCESS))
                return SCAN_DECLINE;
            if (field >= 0)
                s->field[field] = (span){start, (size_t)(p - start)};
        }
        p = blank(p, end);
        if (p == end)
            return SCAN_DECLINE;
        if (*p == '}')
            break;
        if (*p++ != ',')
            return SCAN_DECLINE;
    }
    if (blank(p + 1, end) != end)
        return SCAN_DECLINE;
    for (int i = 0; i < F_COUNT; i++)
        if (in_scratch >> i & 1)
            s->field[i].p = s->scratch.p + moved[i];
    return SCAN_END;
}
