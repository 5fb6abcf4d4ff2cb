/* Shapes: texts whose key is known, to know the next that differ in literals and comments alone.
 *
 * All that key_of decides it decides by the bytes between literals and comments, by how each of these
 * begins, and by where it ends. A text that agrees in the first two has the same key. */
#include "scan.h"

#include <string.h>

enum { LETTERS = 64 }; /* the bit that letters have, and digits, quotes and spaces have not */

static uint64_t letters(const uint8_t *p)
{
    uint64_t eight = read64(p);
    return eight & (eight / LETTERS & 0x0101010101010101u) * 0xff;
}

/* Where the shape of texts that begin like this one would be; NULL for a short one. */
shape *shape_place(shape *shapes, span text)
{
    if (text.n < 16)
        return NULL;
    uint64_t hash = letters(text.p) * 0x9e3779b97f4a7c15u ^ letters(text.p + 8);
    if (text.n >= 32)
        hash = (hash * 0x9e3779b97f4a7c15u ^ letters(text.p + 16)) * 0x9e3779b97f4a7c15u ^ letters(text.p + 24);
    hash ^= hash >> 32;
    return &shapes[hash * 0xff51afd7ed558ccdu >> 32 & (SHAPES - 1)];
}

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static int is_white(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }

static int is_comment(uint8_t first) { return first == '-' || first == '/'; }

/* Whether nothing but white space and comments, which are added, is from p to the end. */
static int is_tail(const uint8_t *p, const uint8_t *end, key_parts *out)
{
    while (p < end) {
        int unsure = 0;
        const uint8_t *q = comment_at(p, end, &unsure);
        if (q)
            add_comment(out, p, q);
        else if (unsure || !is_white(*p))
            return 0;
        p = q ? q : p + 1;
    }
    return 1;
}

/* Remember a text whose `key` and `parts` key_of has told, without the comments behind it. */
void shape_set(shape *x, span text, const key_parts *parts, int32_t key)
{
    size_t before = 0;
    int count = parts->varied_count;
    x->n = 0;
    if (count > SHAPE_PARTS)
        return;
    for (;; count--) {
        while (text.n && is_white(text.p[text.n - 1])) text.n--;
        span last = count ? parts->varied[count - 1] : (span){0};
        if (!count || !is_comment(*last.p) || last.p + last.n != text.p + text.n)
            break;
        text.n -= last.n;
    }
    if (text.n > SHAPE_BYTES)
        return;
    for (int i = 0; i < count; i++) {
        span part = parts->varied[i];
        size_t at = (size_t)(part.p - text.p);
        if (*part.p == '.' || (i && at == before)) /* what is before them counts */
            return;
        before = at + part.n;
        x->part[i].at = (uint16_t)at;
        x->part[i].end = (uint16_t)before;
    }
    memcpy(x->text, text.p, text.n);
    x->n = (uint16_t)text.n;
    x->count = (uint8_t)count;
    x->key = key;
}

/* Adds the literal or comment at p, that begins like the one at `like`; where it ends, NULL if it does not. */
static const uint8_t *behind_part(const uint8_t *like, const uint8_t *p, const uint8_t *end, key_parts *out)
{
    const uint8_t *q;
    int unsure = 0;
    if (p == end || (is_digit(*like) ? !is_digit(*p) : *p != *like))
        return NULL;
    if (is_comment(*p)) {
        if ((q = comment_at(p, end, &unsure)))
            add_comment(out, p, q);
        return q;
    }
    if (is_digit(*p))
        q = number_end(p, end);
    else if (*p == '\'')
        q = quoted_end(p + 1, end);
    else if (*p == '$')
        q = dollar_end(p, end);
    else if (p + 1 < end && p[1] == '\'') /* E'', B'', X'', N'' */
        q = (*p | 32) == 'e' ? escaped_end(p + 2, end) : quoted_end(p + 2, end);
    else
        return NULL;
    if (q)
        add_literal(out, p, q);
    return q;
}

/* Whether a text has the shape, and so its key: then `out` has its literals and comments, but no key.
 * -1 without memory. */
int shape_fits(const shape *x, span text, key_parts *out)
{
    const uint8_t *p = text.p, *end = p + text.n;
    size_t at = 0;
    if (!x->n)
        return 0;
    if (parts_begin(out, text.n))
        return -1;
    for (int i = 0; i < x->count; i++) {
        size_t n = x->part[i].at - at;
        if ((size_t)(end - p) < n || !same(p, x->text + at, n)
            || !(p = behind_part(x->text + x->part[i].at, p + n, end, out)))
            return 0;
        at = x->part[i].end;
    }
    at = x->n - at;
    return (size_t)(end - p) >= at && same(p, x->text + x->n - at, at) && is_tail(p + at, end, out);
}
