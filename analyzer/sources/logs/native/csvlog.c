/* csvlog: records of 23, 24 or 26 fields, quoted ones may hold anything. */
#include "scan.h"

#include <string.h>

enum { COLUMNS = 26 };

/* Which column is which field; the others are passed over. */
static const int8_t field_of[COLUMNS] = {
    F_TIME, F_USER, F_DATABASE, F_PROCESS, -1, F_SESSION, F_LINE, -1, -1, -1, -1, F_SEVERITY,
    F_CODE, F_MESSAGE, F_DETAIL, -1, -1, -1, -1, F_STATEMENT, -1, -1, F_APPLICATION, -1, -1, F_QUERY,
};

static uint8_t ends_field[256];

__attribute__((constructor)) static void csvlog_prepare(void)
{
    ends_field[','] = ends_field['\n'] = ends_field['"'] = ends_field['\r'] = 1;
}

/* Doubled quotes made single, behind what `scratch` holds; offsets, for it may move. */
static int unquoted(buffer *scratch, span *field)
{
    size_t start = scratch->n;
    const uint8_t *p = field->p, *end = p + field->n;
    while (p < end) {
        const uint8_t *quote = memchr(p, '"', (size_t)(end - p));
        const uint8_t *stop = quote ? quote + 1 : end;
        if (buffer_add(scratch, p, (size_t)(stop - p)))
            return -1;
        p = quote ? quote + 2 : end;
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
    memset(s->field, 0, sizeof s->field);
    s->scratch.n = 0;
    s->entry_end = s->entry_lines = 0;
    while (!ended) {
        if (column == COLUMNS)
            return SCAN_LOST;
        span value;
        if (p < end && *p == '"') {
            const uint8_t *start = ++p;
            int doubled = 0;
            for (;;) {
                p = memchr(p, '"', (size_t)(end - p));
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
            while (p < end && !ends_field[*p]) p++;
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
    }
    if (column != 23 && column != 24 && column != 26)
        return SCAN_LOST;
    for (int i = 0; i < column; i++)
        if (in_scratch >> i & 1)
            s->field[field_of[i]].p = s->scratch.p + moved[i];
    s->entry_end = (size_t)(p - s->data);
    for (const uint8_t *line = s->data + s->position; line && line < p; s->entry_lines++) {
        line = memchr(line, '\n', (size_t)(p - line));
        line = line ? line + 1 : NULL;
    }
    span code = s->field[F_CODE];
    if (code.n == 5 && memcmp(code.p, "00000", 5) == 0)
        s->field[F_CODE].n = 0;
    return SCAN_END;
}
