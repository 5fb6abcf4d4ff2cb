/* What an entry has in common with all of its session: what was met before is compared, and not read again. */
#ifndef PG95_STEADY_H
#define PG95_STEADY_H

#include "scan.h"

/* The place of what begins like this among the known prefixes; NULL if it is too short to be one. */
static inline known_prefix *place_of(const scanner *s, const uint8_t *p, const uint8_t *end)
{
    uint64_t first, second;
    if (end - p < 16)
        return NULL;
    memcpy(&first, p, 8);
    memcpy(&second, p + 8, 8);
    first = (first ^ second * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    return &s->known[first >> 32 & (REMEMBERED_PREFIXES - 1)];
}

/* Behind what is known if that is at p, with the fields in it; else NULL. */
static inline const uint8_t *behind_known(scanner *s, known_prefix *known, const uint8_t *p, const uint8_t *end)
{
    if (!known->n || (size_t)(end - p) < known->n || !same(p, known->text, known->n))
        return NULL;
    for (int i = 0; i < known->count; i++)
        s->field[known->field[i].number] = (span){p + known->field[i].at, known->field[i].n};
    s->prefix = s->session_before ? NULL : known;
    return p + known->n;
}

static inline void remember(const scanner *s, known_prefix *known, const uint8_t *p, const uint8_t *end)
{
    if (end - p > REMEMBERED_BYTES)
        return;
    known->n = (uint8_t)(end - p);
    known->count = 0;
    known->session = -1;
    known->speaks = 0;
    memcpy(known->text, p, known->n);
    for (int i = 0; i < F_COUNT; i++)
        if (s->field[i].n && s->field[i].p >= p) {
            uint8_t at = (uint8_t)(s->field[i].p - p), n = (uint8_t)s->field[i].n;
            known->field[known->count].number = (uint8_t)i;
            known->field[known->count].at = at;
            known->field[known->count++].n = n;
        }
}

#endif
