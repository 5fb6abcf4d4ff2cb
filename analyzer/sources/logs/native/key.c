/* The safe key: a statement without its literals (analyzer/sql/careful_keys.py is the plain twin).
 *
 * Two texts that get one key here get one key there; the reverse need not hold, for what is built
 * here only leads to that key. KEY_UNSURE is always right: then the Python twin is asked. */
#include "scan.h"

#include <stdlib.h>
#include <string.h>

/* What a byte becomes in a key where it stands for itself: white space a space, the rest what it is;
 * 0 for what may begin something else. */
static uint8_t plain[256];
static uint8_t goes_on[256]; /* an identifier */
static uint8_t white[256];
static uint8_t in_names[256]; /* 1: forbids that lists collapse, 2: that anything is stripped */

__attribute__((constructor)) static void key_prepare(void)
{
    in_names['('] = in_names[')'] = in_names[','] = 1;
    in_names[';'] = 2;
    for (int c = 1; c < 256; c++) {
        int letter = c >= 0x80 || c == '_' || ((c | 32) >= 'a' && (c | 32) <= 'z');
        int digit = c >= '0' && c <= '9';
        white[c] = c == ' ' || (c >= 9 && c <= 13);
        goes_on[c] = letter || digit || c == '$';
        plain[c] = white[c] ? ' ' : digit || strchr("'\"$-/();", c) ? 0 : (uint8_t)c;
    }
}

static int is_word(const uint8_t *p, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] == '_' ? '_' : p[i] | 32) != (uint8_t)word[i])
            return 0;
    return word[n] == 0;
}

static int begins_strippable(const uint8_t *p, size_t n)
{
    switch (n) {
    case 4: return is_word(p, n, "with");
    case 5: return is_word(p, n, "merge");
    case 6: return is_word(p, n, "select") || is_word(p, n, "insert") || is_word(p, n, "update")
                || is_word(p, n, "delete") || is_word(p, n, "values");
    default: return 0;
    }
}

static int digit(uint8_t c) { return c >= '0' && c <= '9'; }

static int hexadecimal(uint8_t c)
{
    return digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* The end of a number that begins at p; the alternatives in the order of the Python pattern. */
const uint8_t *number_end(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *q;
    if (*p == '0' && end - p > 2) {
        int kind = p[1] | 32;
        q = p + 2;
        if (kind == 'x')
            while (q < end && (hexadecimal(*q) || *q == '_')) q++;
        else if (kind == 'o')
            while (q < end && ((*q >= '0' && *q <= '7') || *q == '_')) q++;
        else if (kind == 'b')
            while (q < end && (*q == '0' || *q == '1' || *q == '_')) q++;
        if (q > p + 2)
            return q;
    }
    q = p;
    if (*q == '.') {
        q++;
        while (q < end && (digit(*q) || *q == '_')) q++;
    } else {
        while (q < end && (digit(*q) || *q == '_')) q++;
        if (q < end && *q == '.' && !(q + 1 < end && q[1] == '.')) {
            q++;
            while (q < end && (digit(*q) || *q == '_')) q++;
        }
    }
    if (q < end && (*q | 32) == 'e') {
        const uint8_t *e = q + 1;
        if (e < end && (*e == '+' || *e == '-'))
            e++;
        if (e < end && digit(*e)) {
            while (e < end && digit(*e)) e++;
            q = e;
        }
    }
    return q;
}

/* Behind the quote that closes a string opened before p; NULL if none does. */
static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    for (;;) {
        const uint8_t *quote = memchr(p, '\'', (size_t)(end - p));
        if (!quote)
            return NULL;
        if (quote + 1 < end && quote[1] == '\'')
            p = quote + 2;
        else
            return quote + 1;
    }
}

const uint8_t *escaped_end(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        if (*p == '\\')
            p += 2;
        else if (*p != '\'')
            p++;
        else if (p + 1 < end && p[1] == '\'')
            p += 2;
        else
            return p + 1;
    }
    return NULL;
}

/* As string_end, with continuations on following lines. */
const uint8_t *quoted_end(const uint8_t *p, const uint8_t *end)
{
    p = string_end(p, end);
    while (p) {
        const uint8_t *q = p;
        while (q < end && (*q == ' ' || *q == '\t' || *q == '\v' || *q == '\f')) q++;
        if (q == end || (*q != '\n' && *q != '\r'))
            return p;
        while (q < end && white[*q]) q++;
        if (q == end || *q != '\'')
            return p;
        p = string_end(q + 1, end);
    }
    return NULL;
}

static const uint8_t *comment_end(const uint8_t *p, const uint8_t *end, int *nested)
{
    for (const uint8_t *q = p + 2; q + 1 < end; q++) {
        if (q[0] == '*' && q[1] == '/')
            return q + 2;
        if (q[0] == '/' && q[1] == '*')
            *nested = 1;
    }
    return NULL;
}

/* Behind a dollar-quoted string that begins at p, NULL if p begins none. */
const uint8_t *dollar_end(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *q = p + 1;
    if (q < end && goes_on[*q] && *q != '$' && !digit(*q))
        while (q < end && goes_on[*q] && *q != '$') q++;
    if (q == end || *q != '$')
        return NULL;
    size_t tag = (size_t)(q + 1 - p);
    q++;
    while ((size_t)(end - q) >= tag) {
        const uint8_t *found = memchr(q, '$', (size_t)(end - q) - tag + 1);
        if (!found)
            return NULL;
        if (memcmp(found, p, tag) == 0)
            return found + tag;
        q = found + 1;
    }
    return NULL;
}

static int ends_in(const uint8_t *from, const uint8_t *to, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(to - from) >= n && is_word(to - n, n, word)
        && ((size_t)(to - from) == n || !(goes_on[to[-(ptrdiff_t)n - 1]]));
}

/* Whether an ARRAY that ends at q begins a constructor, whose numbers are literals, and is not a
 * type, whose bounds are none. */
static int constructs(const uint8_t *from, const uint8_t *q)
{
    static const char *words[] = {"select", "all", "distinct", "and", "or", "not", "like", "ilike",
                                  "from", "case", "when", "then", "else", "returning", "by", "where",
                                  "on", "between", "to", "variadic"};
    const uint8_t *start = q - 5, *before = start;
    while (before > from && white[before[-1]]) before--;
    if (before == from)
        return 0;
    uint8_t c = before[-1];
    if (!(goes_on[c]))
        return c != '.' && c != '"' && c != ')' && c != ']';
    if (before == start)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ends_in(from, before, words[i])) {
            const uint8_t *first = before - strlen(words[i]);
            return first == from || (first[-1] != '.' && first[-1] != '"');
        }
    return 0;
}

/* Whether a number at p is no literal: a subscript, a bound or a precision that the fingerprint
 * depends on. `from` is where the text since the last token begins, `comment` the end of a comment
 * in it. -1: only Python can tell. */
static int is_kept(const uint8_t *from, const uint8_t *p, const uint8_t *comment, int kept)
{
    static const char *words[] = {"float", "current_time", "current_timestamp", "localtime",
                                  "localtimestamp"};
    const uint8_t *q = p;
    while (q > from && q > comment && white[q[-1]]) q--;
    if (q == comment && q > from)
        return -1;
    if (q == from)
        return 0;
    q--;
    if (*q != '[' && *q != '(' && *q != ':')
        return 0;
    if (comment > from)
        return -1;
    if (*q == ':') {
        if (!kept)
            return 0;
        while (q > from && white[q[-1]]) q--;
        return q == from;
    }
    if (*q == '[') {
        const uint8_t *name = q > from && white[q[-1]] ? q - 1 : q;
        if (name - from < 5 || !is_word(name - 5, 5, "array"))
            return 1;
        return !constructs(from, name);
    }
    while (q > from && white[q[-1]]) q--;
    for (int i = 0; i < 5; i++)
        if (ends_in(from, q, words[i]))
            return 1;
    return 0;
}

/* Whether an item of an IN list is a placeholder alone, as the Python twin collapses it. */
static int is_placeholder(const uint8_t *p, size_t n)
{
    if (n && *p == '-') {
        p++;
        n--;
    }
    if (n == 1)
        return *p == '0';
    if (n == 2)
        return (p[0] == '\'' && p[1] == '\'') || (p[0] == '$' && p[1] == '1');
    return n == 3 && strchr("eEbBxXnN", *p) && p[1] == '\'' && p[2] == '\'';
}

/* Repeated placeholders of the list between `from` and the end of the key: the first and the last
 * of each run remain. */
static int collapse_list(buffer *key, size_t from)
{
    uint8_t *p = key->p;
    size_t end = key->n, out = from, item = from, last_from = from, last = from, last_n = 0;
    int same = 0;
    for (size_t at = from; at <= end; at++) {
        if (at < end && p[at] != ',')
            continue;
        size_t a = item, b = at;
        while (a < b && p[a] == ' ') a++;
        while (b > a && p[b - 1] == ' ') b--;
        size_t n = b - a, whole = at - item + (at < end);
        if (n && n == last_n && memcmp(p + a, p + last, n) == 0 && is_placeholder(p + a, n))
            same++;
        else
            same = 0;
        if (same >= 2)
            out = last_from;
        memmove(p + out, p + item, whole);
        last_from = out;
        last = out + (a - item);
        last_n = n;
        out += whole;
        item = at + 1;
    }
    int collapsed = out < key->n;
    key->n = out;
    return collapsed;
}

typedef struct { size_t row, row_n, last_end; int rows, open; } values_run;

/* A row of VALUES has ended: a third like the first two goes. */
static int collapse_row(buffer *key, values_run *run, size_t start)
{
    int collapsed = 0;
    size_t n = key->n - start;
    if (run->rows == 0) {
        run->row = start;
        run->row_n = n;
        run->rows = 1;
    } else if (run->rows > 0 && n == run->row_n
               && memcmp(key->p + start, key->p + run->row, n) == 0) {
        if (++run->rows > 2) {
            key->n = run->last_end;
            collapsed = 1;
        }
    } else {
        run->rows = -1;
    }
    run->last_end = key->n;
    return collapsed;
}

/* memcpy without a call for the short ones, which most are. */
static void put(uint8_t *to, const uint8_t *p, size_t n)
{
    if (n > 16) {
        memcpy(to, p, n);
    } else if (n >= 8) {
        uint64_t first, last;
        memcpy(&first, p, 8);
        memcpy(&last, p + n - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + n - 8, &last, 8);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = p[i];
    }
}

/* `buffer` has room for all that a text can add. */
static void join(buffer *b, int *has, uint8_t separator, const uint8_t *p, const uint8_t *end)
{
    if (*has)
        b->p[b->n++] = separator;
    *has = 1;
    put(b->p + b->n, p, (size_t)(end - p));
    b->n += (size_t)(end - p);
}

static void varies(key_parts *out, const uint8_t *p, const uint8_t *end)
{
    if (out->varied_count < SHAPE_PARTS)
        out->varied[out->varied_count] = (span){p, (size_t)(end - p)};
    out->varied_count++;
}

void add_literal(key_parts *out, const uint8_t *p, const uint8_t *end)
{
    join(&out->literals, &out->has_literals, 0x1f, p, end);
    varies(out, p, end);
}

void add_comment(key_parts *out, const uint8_t *p, const uint8_t *end)
{
    join(&out->comments, &out->has_comments, ' ', p, end);
    varies(out, p, end);
}

static int reserve(buffer *b, size_t size)
{
    if (b->cap >= size)
        return 0;
    uint8_t *grown = realloc(b->p, size + size / 2);
    if (!grown)
        return -1;
    b->p = grown;
    b->cap = size + size / 2;
    return 0;
}

/* Neither is longer than its text by more than one byte for each byte. */
int parts_begin(key_parts *out, size_t n)
{
    if (reserve(&out->literals, 2 * n + 64) || reserve(&out->comments, 2 * n + 64))
        return -1;
    out->literals.n = out->comments.n = 0;
    out->has_literals = out->has_comments = out->varied_count = 0;
    return 0;
}

/* Behind the comment that begins at p. NULL if none does, or with *unsure one that Python judges. */
const uint8_t *comment_at(const uint8_t *p, const uint8_t *end, int *unsure)
{
    const uint8_t *q;
    if (end - p < 2)
        return NULL;
    if (p[0] == '-' && p[1] == '-') {
        for (q = p; q < end && *q != '\n' && *q != '\r'; q++) {}
        return q;
    }
    if (p[0] != '/' || p[1] != '*')
        return NULL;
    q = comment_end(p, end, unsure);
    *unsure |= !q;
    return *unsure ? NULL : q;
}

/* What stands before the text proper: where it begins, NULL for a text that is its own key. */
static const uint8_t *head_of(const uint8_t *p, const uint8_t *end, key_parts *out, int *unsure)
{
    while (p < end) {
        const uint8_t *q = comment_at(p, end, unsure);
        if (*unsure)
            return NULL;
        if (q) {
            add_comment(out, p, q);
            p = q;
        } else if (white[*p] || *p == '(') {
            if (*p == '(') {
                out->key.p[out->key.n++] = '(';
            } else if (out->key.n && out->key.p[out->key.n - 1] != ' ') {
                out->key.p[out->key.n++] = ' ';
            }
            p++;
        } else {
            for (q = p; q < end && goes_on[*q]; q++) {}
            return begins_strippable(p, (size_t)(q - p)) ? p : NULL;
        }
        if (q && out->key.n && out->key.p[out->key.n - 1] != ' ')
            out->key.p[out->key.n++] = ' ';
    }
    return NULL;
}

/* The state of a text on its way. */
typedef struct {
    const uint8_t *text, *end;
    const uint8_t *token;   /* where the last token ended */
    const uint8_t *comment; /* where the last comment ended */
    int kept, unsure;
    size_t escaped;         /* how long the key was behind an escaped string */
    size_t list, row;       /* where in the key an IN list, or a row of VALUES, begins; 0 none */
    values_run run;
    int between_rows, collapsed, names;
} state;

/* Whether p goes on the identifier before it. */
static int is_inside(const state *s, const uint8_t *p)
{
    return p > s->token && p > s->comment && goes_on[p[-1]];
}

/* A string that begins with the quote at p, or with the letter before it. */
static const uint8_t *string_at(state *s, key_parts *out, const uint8_t *p)
{
    buffer *key = &out->key;
    const uint8_t *start = p, *q;
    int prefix = 0;
    if (is_inside(s, p) && strchr("eEbBxXnN", p[-1]) && !is_inside(s, p - 1)) {
        prefix = p[-1] | 32;
        start = p - 1;
    } else if (p > s->token && p[-1] == '&' && p - 1 > s->token && (p[-2] | 32) == 'u'
               && !is_inside(s, p - 2)) {
        s->unsure = 1;
    }
    if (!prefix && s->escaped && key->n - s->escaped <= 1
        && (key->n == s->escaped || key->p[key->n - 1] == ' '))
        s->unsure = 1; /* on a line of its own it would go on the escaped string */
    q = prefix == 'e' ? escaped_end(p + 1, s->end) : quoted_end(p + 1, s->end);
    if (!q || q > s->end) {
        s->unsure = 1;
        return s->end;
    }
    key->p[key->n++] = '\'';
    key->p[key->n++] = '\'';
    add_literal(out, start, q);
    s->escaped = prefix == 'e' ? key->n : 0;
    s->kept = 0;
    s->token = q;
    return q;
}

static const uint8_t *number_at(state *s, key_parts *out, const uint8_t *p)
{
    buffer *key = &out->key;
    if (p[-1] == '.' && p - 1 >= s->token && p - 1 >= s->comment) { /* .5: its dot was copied */
        p--;
        key->n--;
        if (is_inside(s, p))
            key->p[key->n++] = ' ';
    }
    const uint8_t *q = number_end(p, s->end);
    s->kept = is_kept(s->token, p, s->comment, s->kept);
    if (s->kept < 0) {
        s->unsure = 1;
    } else if (s->kept) {
        memcpy(key->p + key->n, p, (size_t)(q - p));
        key->n += (size_t)(q - p);
    } else {
        key->p[key->n++] = '0';
        add_literal(out, p, q);
    }
    s->token = q;
    return q;
}

static const uint8_t *dollar_at(state *s, key_parts *out, const uint8_t *p)
{
    buffer *key = &out->key;
    const uint8_t *q = p + 1;
    if (q < s->end && digit(*q)) {
        while (q < s->end && digit(*q)) q++;
        memcpy(key->p + key->n, "$1", 2);
    } else {
        q = dollar_end(p, s->end);
        if (!q || p[-1] == '&') { /* U&$$a$$ takes a space */
            s->unsure = 1;
            return s->end;
        }
        memcpy(key->p + key->n, "''", 2);
        add_literal(out, p, q);
    }
    key->n += 2;
    s->kept = 0;
    s->token = q;
    return q;
}

/* Copies the quoted name at p if it is short and holds nothing to look at; where it ends, or NULL. */
static const uint8_t *short_name(buffer *key, const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    if (end - p < 18)
        return NULL;
    __m128i bytes = _mm_loadu_si128((const __m128i *)(p + 1));
    int quotes = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('(')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(')')));
    odd = _mm_or_si128(odd, _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(';'))));
    if (!quotes)
        return NULL;
    int n = __builtin_ctz((unsigned)quotes);
    if (p[n + 2] == '"' || (_mm_movemask_epi8(odd) & ((1 << n) - 1)))
        return NULL;
    key->p[key->n] = '"';
    _mm_storeu_si128((__m128i *)(key->p + key->n + 1), bytes);
    key->n += (size_t)n + 2;
    return p + n + 2;
#else
    (void)key, (void)p, (void)end;
    return NULL;
#endif
}

static const uint8_t *name_at(state *s, key_parts *out, const uint8_t *p)
{
    buffer *key = &out->key;
    const uint8_t *q;
    if (p > s->token && p[-1] == '&' && p - 1 > s->token && (p[-2] | 32) == 'u' && !is_inside(s, p - 2))
        s->unsure = 1;
    s->list = s->row = 0;
    s->between_rows = 0;
    if ((q = short_name(key, p, s->end))) {
        s->unsure |= s->names && s->collapsed;
        return q;
    }
    for (q = p + 1;; q += 2) {
        q = memchr(q, '"', (size_t)(s->end - q));
        if (!q) {
            s->unsure = 1;
            return s->end;
        }
        if (q + 1 == s->end || q[1] != '"')
            break;
    }
    uint8_t found = 0;
    for (q++; p < q; p++) {
        found |= in_names[*p];
        key->p[key->n++] = *p;
    }
    s->names |= found & 1;
    s->unsure |= found >> 1 || (s->names && s->collapsed);
    return q;
}

/* Whether the key ends in a word, and at most one space. */
static int ends_key(const buffer *key, const char *word)
{
    size_t n = key->n - (key->n && key->p[key->n - 1] == ' ');
    return ends_in(key->p, key->p + n, word);
}

static void opens(state *s, buffer *key)
{
    int row = 0;
    if (s->row || s->list) { /* brackets inside: neither collapses */
        s->row = s->list = 0;
        s->between_rows = 0;
    } else if (s->between_rows) {
        const uint8_t *p = key->p + s->run.last_end, *end = key->p + key->n;
        size_t n = (size_t)(end - p);
        row = n <= 3 && memchr(p, ',', n) && (n == 1 || *p == ' ' || end[-1] == ' ');
        row = row && (n != 3 || (p[0] == ' ' && p[1] == ',' && p[2] == ' '));
        s->between_rows = row;
    }
    if (!row && ends_key(key, "values")) {
        s->run = (values_run){0};
        row = 1;
    }
    s->list = !row && ends_key(key, "in") ? key->n + 1 : 0;
    s->row = row ? key->n + 1 : 0;
    key->p[key->n++] = '(';
}

static void closes(state *s, buffer *key)
{
    if (s->list && !s->names)
        s->collapsed |= collapse_list(key, s->list);
    key->p[key->n++] = ')';
    s->between_rows = 0;
    if (s->row && !s->names) {
        s->collapsed |= collapse_row(key, &s->run, s->row - 1);
        s->between_rows = s->run.rows > 0;
    }
    s->list = s->row = 0;
}

/* Copies what stands for itself, runs of white space as one space, up to what may begin something
 * else; where that is. */
static const uint8_t *copy_plain(buffer *key, const uint8_t *p, const uint8_t *end)
{
    uint8_t *to = key->p + key->n, last = key->n ? to[-1] : ' ', c;
    for (;;) {
        if (last == ' ')
            while (p < end && white[*p]) p++;
#ifdef __SSE2__
        const __m128i space = _mm_set1_epi8(' ');
        int mask = 0;
        for (; end - p > 16; p += 16, to += 16) { /* 16 at a time, where there is nothing to look at */
            __m128i bytes = _mm_loadu_si128((const __m128i *)p);
            __m128i next = _mm_loadu_si128((const __m128i *)(p + 1));
            /* from ! to ; but neither comma nor dot: all that matters, and some more */
            __m128i looked_at = _mm_sub_epi8(bytes, _mm_set1_epi8('!'));
            looked_at = _mm_cmpeq_epi8(_mm_min_epu8(looked_at, _mm_set1_epi8(';' - '!')), looked_at);
            looked_at = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')), looked_at);
            looked_at = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')), looked_at);
            __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
            __m128i spaces = _mm_and_si128(_mm_cmpeq_epi8(bytes, space), _mm_cmpeq_epi8(next, space));
            mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(looked_at, control), spaces));
            _mm_storeu_si128((__m128i *)to, bytes);
            if (mask) {
                int n = __builtin_ctz((unsigned)mask);
                p += n;
                to += n;
                break;
            }
        }
        last = to > key->p ? to[-1] : ' ';
        if (mask) { /* one that stands for itself all the same, or white space */
            if (!(c = plain[*p]))
                break;
            *to = c;
            to += (c != ' ') | (last != ' ');
            last = c;
            p++;
            continue;
        }
#endif
        for (; p < end && (c = plain[*p]); p++) {
            *to = c;
            to += (c != ' ') | (last != ' ');
            last = c;
        }
        break;
    }
    key->n = (size_t)(to - key->p);
    return p;
}

int key_of(span text, key_parts *out)
{
    buffer *key = &out->key;
    state s; /* its fields one by one: clearing it as a whole takes several times as long */
    s.text = s.token = text.p;
    s.end = text.p + text.n;
    s.comment = NULL;
    s.kept = s.unsure = s.between_rows = s.collapsed = s.names = 0;
    s.escaped = s.list = s.row = 0;
    s.run = (values_run){0};
    /* A key is longer than its text by at most one byte for each byte (a space before a number). */
    if (reserve(key, 2 * text.n + 64) || parts_begin(out, text.n))
        return KEY_MEMORY;
    key->n = 0;
    const uint8_t *p = head_of(text.p, s.end, out, &s.unsure), *q;
    if (!p)
        return s.unsure ? KEY_UNSURE : KEY_RAW;
    s.comment = out->has_comments ? p : NULL;
    while (p < s.end && !s.unsure) {
        p = copy_plain(key, p, s.end);
        if (p == s.end)
            break;
        switch (*p) {
        case '\'': p = string_at(&s, out, p); break;
        case '"': p = name_at(&s, out, p); break;
        case '(': opens(&s, key); p++; break;
        case ')': closes(&s, key); p++; break;
        case ';': /* only white space, comments and more of them may follow */
            for (p++; p < s.end; p = q ? q : p + 1) {
                q = comment_at(p, s.end, &s.unsure);
                if (s.unsure)
                    return KEY_UNSURE;
                if (q)
                    add_comment(out, p, q);
                else if (!white[*p] && *p != ';')
                    return KEY_RAW;
            }
            break;
        case '-':
        case '/':
            q = comment_at(p, s.end, &s.unsure);
            if (q) {
                add_comment(out, p, q);
                s.comment = p = q;
                if (key->n && key->p[key->n - 1] != ' ')
                    key->p[key->n++] = ' ';
            } else {
                key->p[key->n++] = *p++;
            }
            break;
        case 0: return KEY_UNSURE;
        default: /* a digit or a dollar */
            if (is_inside(&s, p))
                while (p < s.end && goes_on[*p]) key->p[key->n++] = *p++;
            else
                p = *p == '$' ? dollar_at(&s, out, p) : number_at(&s, out, p);
        }
    }
    while (key->n && key->p[key->n - 1] == ' ')
        key->n--;
    return s.unsure ? KEY_UNSURE : KEY_STRIPPED;
}

void key_free(key_parts *parts)
{
    free(parts->key.p);
    free(parts->literals.p);
    free(parts->comments.p);
}
