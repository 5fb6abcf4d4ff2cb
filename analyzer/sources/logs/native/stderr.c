/* stderr: lines that begin with log_line_prefix, continued by lines that begin with a TAB. */
#include "scan.h"
#include "steady.h"

#include <string.h>

enum { LONGEST_NAME = 128, LONGEST_HOST = 256 };

static int zone_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '+' || c == '-'
        || c == '/' || c == '_' || c == '<' || c == '>';
}

static int between(uint8_t c, uint8_t low, uint8_t high) { return c >= low && c <= high; }

static size_t digits(const uint8_t *p, const uint8_t *end, size_t most)
{
    size_t n = 0;
    while (p + n < end && n < most && between(p[n], '0', '9')) n++;
    return n;
}

static size_t hexadecimals(const uint8_t *p, const uint8_t *end, size_t most)
{
    size_t n = 0;
    while (p + n < end && n < most && (between(p[n], '0', '9') || between(p[n], 'a', 'f'))) n++;
    return n;
}

/* "2026-11-22 08:00:00" with the fraction that %m adds and a zone; 0 if there is none. */
static size_t timestamp(const uint8_t *p, const uint8_t *end, int milliseconds)
{
    size_t n = 19;
    if (end - p < 24 || digits(p, end, 4) != 4 || p[4] != '-')
        return 0;
    for (size_t i = 5; i < 19; i++)
        if (!between(p[i], '0', '9') && p[i] != ' ' && p[i] != ':' && p[i] != '-')
            return 0;
    if (milliseconds) {
        if (p[19] != '.' || digits(p + 20, end, 3) != 3)
            return 0;
        n = 23;
    }
    if (p + n < end && p[n] == ' ') {
        size_t zone = 0;
        while (p + n + 1 + zone < end && zone < 40 && zone_char(p[n + 1 + zone])) zone++;
        if (zone)
            n += 1 + zone;
    }
    return n;
}

/* As timestamp() of a %m, looking first whether it is the second of the line before. */
static size_t next_timestamp(scanner *s, const uint8_t *p, const uint8_t *end)
{
    size_t n = s->stamp_n;
    if (n && (size_t)(end - p) > n && same(p, s->stamp, 16) && same(p + 16, s->stamp + 16, 4)
        && digits(p + 20, end, 3) == 3 && same(p + 23, s->stamp + 23, n - 23) && !zone_char(p[n]) && (n > 23 || p[n] != ' '))
        return n;
    n = timestamp(p, end, 1);
    s->stamp_n = n <= sizeof s->stamp ? n : 0;
    memcpy(s->stamp, p, s->stamp_n);
    return n;
}

/* The length of an escape's value at p, or -1: this is the Python pattern's. */
static ptrdiff_t value_of(scanner *s, const prefix_op *op, const prefix_op *next,
                          const uint8_t *p, const uint8_t *end)
{
    size_t n, m, most;
    const int named = op->escape == 'u' || op->escape == 'd';
    switch (op->escape) {
    case 'm':
        n = next_timestamp(s, p, end);
        return n ? (ptrdiff_t)n : -1;
    case 't':
    case 's':
        n = timestamp(p, end, 0);
        return n ? (ptrdiff_t)n : -1;
    case 'n':
        n = digits(p, end, 11);
        if (n < 9 || p + n == end || p[n] != '.' || digits(p + n + 1, end, 3) != 3)
            return -1;
        return (ptrdiff_t)n + 4;
    case 'p':
        n = digits(p, end, 10);
        return n ? (ptrdiff_t)n : -1;
    case 'P':
        return (ptrdiff_t)digits(p, end, 10);
    case 'x':
        return (ptrdiff_t)digits(p, end, 20);
    case 'l':
        n = digits(p, end, 19);
        return n ? (ptrdiff_t)n : -1;
    case 'c':
        n = hexadecimals(p, end, 16);
        if (!n || p + n == end || p[n] != '.')
            return -1;
        m = hexadecimals(p + n + 1, end, 8);
        return m ? (ptrdiff_t)(n + 1 + m) : -1;
    case 'v':
        n = digits(p, end, 10);
        if (!n)
            return 0;
        if (p + n == end || p[n] != '/')
            return -1;
        m = digits(p + n + 1, end, 19);
        return m ? (ptrdiff_t)(n + 1 + m) : -1;
    case 'e':
        for (n = 0; n < 5; n++)
            if (p + n == end || !(between(p[n], '0', '9') || between(p[n], 'A', 'Z')))
                return -1;
        return 5;
    case 'Q':
        n = p < end && *p == '-';
        m = digits(p + n, end, 20);
        return m ? (ptrdiff_t)(n + m) : -1;
    case 'h':
    case 'L':
    case 'r':
        for (n = 0; p + n < end && n < LONGEST_HOST; n++)
            if (p[n] <= ' ' || p[n] >= 0x80 || p[n] == ',' || p[n] == ';' || p[n] == '|'
                || p[n] == '(' || p[n] == ')')
                break;
        if (p + n < end && p[n] >= 0x80)
            return -1;
        if (op->escape == 'r' && p + n < end && p[n] == '(') {
            m = digits(p + n + 1, end, 5);
            if (m && p + n + 1 + m < end && p[n + 1 + m] == ')')
                n += m + 2;
        }
        return (ptrdiff_t)n;
    default: /* a text that a client may have chosen: to the literal behind it */
        most = op->escape == 'i' ? 64 : op->escape == 'b' ? 48 : LONGEST_NAME;
        if (!next || next->escape)
            return -1;
        for (n = 0; p + n + next->n <= end && n <= most; n++) {
            if (p[n] == next->literal[0] && same(p + n, next->literal, next->n))
                return (ptrdiff_t)n;
            /* Where the prefix was detected, names of users and databases have none of these. */
            if (p[n] <= ' ' ? p[n] == '\n' || named : named && (p[n] == '/' || p[n] == ',' || p[n] == ';' || p[n] == '|' || p[n] == '='))
                return -1;
        }
        return -1;
    }
}

static const char *severities[] = {
    "LOG:  ", "DETAIL:  ", "STATEMENT:  ", "ERROR:  ", "HINT:  ", "CONTEXT:  ", "WARNING:  ", "FATAL:  ",
    "PANIC:  ", "QUERY:  ", "LOCATION:  ", "NOTICE:  ", "INFO:  ",
};

/* Behind the entry's prefix, with its fields; NULL if it is not as it should be. */
static const uint8_t *behind_prefix(scanner *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *steady = NULL, *found;
    known_prefix *known = NULL;
    s->prefix = NULL;
    for (int i = 0; i < s->op_count; i++) {
        const prefix_op *op = &s->ops[i];
        if (i == s->steady_from && (known = place_of(s, p, end))) {
            if ((found = behind_known(s, known, p, end)))
                return found;
            steady = p;
        }
        if (!op->escape) {
            if ((size_t)(end - p) < op->n || !same(p, op->literal, op->n))
                return NULL;
            p += op->n;
            continue;
        }
        ptrdiff_t n = value_of(s, op, i + 1 < s->op_count ? op + 1 : NULL, p, end);
        if (n < 0)
            return NULL;
        if (op->field >= 0)
            s->field[op->field] = (span){p, (size_t)n};
        p += n;
    }
    /* What a last field without a literal behind it holds depends on what follows. */
    if (known && !s->ops[s->op_count - 1].escape)
        remember(s, known, steady, p);
    return p;
}

/* Fills the fields of the entry at `position`. SCAN_END: its prefix and severity are understood. */
int stderr_entry(scanner *s)
{
    const uint8_t *p = s->data + s->position, *end = s->data + s->size, *newline = p;
    s->entry_end = 0;
    s->entry_lines = 0;
    do {
        newline = memchr(newline, '\n', (size_t)(end - newline));
        if (!newline || (newline + 1 == end && !s->last))
            return SCAN_END;
        newline++;
        s->entry_lines++;
    } while (newline < end && *newline == '\t');
    newline--;
    s->entry_end = (size_t)(newline + 1 - s->data);
    end = newline;
    no_fields(s);
    if (!(p = behind_prefix(s, p, end)))
        return SCAN_DECLINE;
    for (size_t i = 0; i < sizeof severities / sizeof *severities; i++) {
        size_t n = strlen(severities[i]);
        if ((size_t)(end - p) >= n && same(p, severities[i], n)) {
            s->field[F_SEVERITY] = (span){p, n - 3};
            p += n;
            s->field[F_MESSAGE] = (span){p, (size_t)(end - p)};
            break;
        }
    }
    return SCAN_END; /* without a severity it is one that the Python reader knows, or none */
}
