/* Bytes to numbers: an open-addressed table whose texts lie one behind the other. */
#include "scan.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

enum { BEYOND = 16 }; /* what copy_until may write behind what it copies */

/* Columns of a few hundred kilobytes come and go for every chunk and slice. By default the allocator
 * gives such blocks back to the system at once, and the system clears them anew each time. */
void keep_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

int buffer_room(buffer *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 256;
    if (b->n + n + BEYOND <= b->cap)
        return 0;
    while (cap < b->n + n + BEYOND)
        cap *= 2;
    uint8_t *grown = b->lent ? malloc(cap) : realloc(b->p, cap);
    if (!grown)
        return -1;
    if (b->lent)
        memcpy(grown, b->p, b->n);
    b->p = grown;
    b->cap = cap;
    b->lent = 0;
    return 0;
}

const uint8_t *copy_until(buffer *to, const uint8_t *p, const uint8_t *end, uint8_t stop)
{
    uint8_t *at = to->p + to->n;
#ifdef __SSE2__
    const __m128i stops = _mm_set1_epi8((char)stop);
    for (; end - p >= 16; p += 16, at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)p);
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, stops));
        _mm_storeu_si128((__m128i *)at, bytes);
        if (found) {
            int n = __builtin_ctz((unsigned)found);
            to->n = (size_t)(at + n - to->p);
            return p + n;
        }
    }
#endif
    while (p < end && *p != stop) *at++ = *p++;
    to->n = (size_t)(at - to->p);
    return p;
}

int buffer_add(buffer *b, const uint8_t *p, size_t n)
{
    if (buffer_room(b, n))
        return -1;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    return 0;
}

static uint64_t mixed(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xbf58476d1ce4e5b9u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_of(span text)
{
    uint64_t one = text.n, two = ~one;
    const uint8_t *p = text.p, *end = p + text.n;
    if (text.n < 4)
        return mixed(one, text.n ? (uint64_t)p[0] << 16 | (uint64_t)p[text.n / 2] << 8 | end[-1] : 0);
    if (text.n < 8)
        return mixed(one ^ read32(p), read32(end - 4));
    for (; end - p > 32; p += 32) { /* two chains: a multiplication takes its time */
        one = mixed(one ^ read64(p), read64(p + 8));
        two = mixed(two ^ read64(p + 16), read64(p + 24));
    }
    if (end - p > 16)
        one = mixed(one ^ read64(p), read64(p + 8));
    if (text.n >= 16) /* the last 16 bytes, whether some were taken already or not */
        return mixed(one ^ read64(end - 16), two ^ read64(end - 8));
    return mixed(one ^ read64(p), read64(end - 8));
}

item *table_find(const table *t, span text, uint64_t hash)
{
    if (!t->slots)
        return NULL;
    for (size_t at = hash & t->mask;; at = (at + 1) & t->mask) {
        int32_t slot = t->slots[at];
        if (slot < 0)
            return NULL;
        item *found = &t->items[slot];
        if (found->hash == hash && found->n == text.n
            && same(t->bytes.p + found->at, text.p, text.n))
            return found;
    }
}

static int table_grow(table *t)
{
    size_t size = t->slots ? (t->mask + 1) * 2 : 1024;
    int32_t *slots = malloc(size * sizeof *slots);
    if (!slots)
        return -1;
    memset(slots, 0xff, size * sizeof *slots);
    for (size_t i = 0; i < t->count; i++) {
        size_t at = t->items[i].hash & (size - 1);
        while (slots[at] >= 0)
            at = (at + 1) & (size - 1);
        slots[at] = (int32_t)i;
    }
    free(t->slots);
    t->slots = slots;
    t->mask = size - 1;
    return 0;
}

item *table_add(table *t, span text, uint64_t hash)
{
    if (!t->slots || (t->count + 1) * 2 > t->mask)
        if (table_grow(t))
            return NULL;
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 512;
        item *grown = realloc(t->items, cap * sizeof *grown);
        if (!grown)
            return NULL;
        t->items = grown;
        t->cap = cap;
    }
    size_t start = t->bytes.n;
    if (buffer_add(&t->bytes, text.p, text.n))
        return NULL;
    item *made = &t->items[t->count];
    *made = (item){.hash = hash, .at = start, .n = text.n, .key = -1, .comment = -1};
    size_t at = hash & t->mask;
    while (t->slots[at] >= 0)
        at = (at + 1) & t->mask;
    t->slots[at] = (int32_t)t->count++;
    return made;
}

void table_clear(table *t)
{
    if (t->slots)
        memset(t->slots, 0xff, (t->mask + 1) * sizeof *t->slots);
    t->count = 0;
    t->bytes.n = 0;
}

void table_free(table *t)
{
    free(t->slots);
    free(t->items);
    free(t->bytes.p);
}

/* CRC-32 (polynomial 0xEDB88320), eight bytes at a time. */
static uint32_t crc_table[8][256];

__attribute__((constructor)) static void crc_prepare(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
        crc_table[0][i] = value;
    }
    for (int k = 1; k < 8; k++)
        for (int i = 0; i < 256; i++)
            crc_table[k][i] = crc_table[k - 1][i] >> 8 ^ crc_table[0][crc_table[k - 1][i] & 255];
}

uint32_t crc_of(span text)
{
    uint32_t value = 0xFFFFFFFFu;
    const uint8_t *p = text.p;
    size_t n = text.n;
    for (; n >= 8; n -= 8, p += 8) {
        value ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        value = crc_table[7][value & 255] ^ crc_table[6][value >> 8 & 255]
              ^ crc_table[5][value >> 16 & 255] ^ crc_table[4][value >> 24]
              ^ crc_table[3][p[4]] ^ crc_table[2][p[5]] ^ crc_table[1][p[6]] ^ crc_table[0][p[7]];
    }
    uint64_t state = value, rest = state >> 8 * n; /* of what is left the tables are asked side by side */
    for (size_t i = 0; i < n; i++)
        rest ^= crc_table[n - 1 - i][(state >> 8 * i ^ p[i]) & 255];
    value = ~(uint32_t)rest;
    return value ? value : 1;
}
