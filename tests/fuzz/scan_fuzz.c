/* Fuzzes the native scanner: whatever the bytes, it stays in its block, comes to an end, and its
 * columns hold together. Built with libFuzzer, or with the small driver in fuzz_main.c. */
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLD(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "does not hold, line %d: %s\n", __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

static void prefix(scanner *s, int kind)
{
    static const char *escapes[] = {"m", "p", "u", "d", "a", "r", "c", "l", "x", "Q", "n", "v", "e"};
    static const int fields[] = {F_TIME, F_PROCESS, F_USER, F_DATABASE, F_APPLICATION, -1, F_SESSION,
                                 F_LINE, -1, F_QUERY, F_TIME, -1, F_CODE};
    static const char *plans[] = {"0 [1] 2@3 ", "0:5:2@3:[1]:", "0 6 7 8 9 4,2,3 ", "10 1 11 12|"};
    const char *plan = plans[kind & 3];
    while (*plan) {
        if (*plan >= '0' && *plan <= '9') {
            int number = *plan++ - '0';
            while (*plan >= '0' && *plan <= '9')
                number = number * 10 + (*plan++ - '0');
            HOLD(scan_prefix(s, *escapes[number], fields[number], (span){NULL, 0}) == 0);
        } else {
            const char *end = plan;
            while (*end && !(*end >= '0' && *end <= '9')) end++;
            HOLD(scan_prefix(s, 0, -1, (span){(const uint8_t *)plan, (size_t)(end - plan)}) == 0);
            plan = end;
        }
    }
}

static void rows_hold(const rows *r)
{
    int64_t last = 0;
    for (size_t i = 0; i < r->texts_count; i++) {
        HOLD(r->ends[i] >= last && (size_t)r->ends[i] <= r->texts.n);
        last = r->ends[i];
    }
    for (size_t i = 0; i < r->count; i++) {
        HOLD(r->parameters[i] < (int32_t)r->texts_count);
        HOLD(r->key[i] >= 0 && r->end_us[i] >= r->start_us[i]);
    }
}

/* What is noted is of sessions that there are, and its texts lie one behind the other. */
static void notes_hold(scanner *s)
{
    size_t last = 0;
    for (size_t i = 0; i < s->note_count; i++) {
        const note *n = &s->notes[i];
        HOLD(n->slot >= 0 && (size_t)n->slot < s->session_count && n->row >= -1);
        for (int k = 0; k < N_COUNT; last = n->end[k++])
            HOLD(n->end[k] >= last && n->end[k] <= s->note_texts.n);
    }
    s->note_count = s->note_texts.n = 0;
}

/* One block, from first to last byte; how many of them were entries, declined, or left over. */
static size_t scan_all(scanner *s, const uint8_t *data, size_t size, int last)
{
    static const int32_t nobody[4] = {0, -1, -1, -1};
    int32_t keys = 1;
    int64_t asked = 0;
    size_t declined = 0;
    s->entry_bytes = 0;
    scan_block(s, data, size, last);
    for (;;) {
        int answer = scan_run(s);
        HOLD(s->position <= size && answer != SCAN_MEMORY);
        if (answer == SCAN_END)
            break;
        HOLD(asked++ < (int64_t)size * 8 + 64);
        size_t end = s->entry_end;
        switch (answer) {
        case SCAN_TIME: scan_set_time(s, s->ask[0].p[0] != '9', 1700000000000000); break;
        case SCAN_SESSION: HOLD(!scan_set_session(s, keys, 0)); break;
        case SCAN_SPEAKER: HOLD(!scan_set_speaker(s, 1, 2, 3)); break;
        case SCAN_KEY: HOLD(!scan_set_key(s, keys++)); break;
        case SCAN_TEXT:
            HOLD(!scan_set_text(s, keys++, -1, 7, keys % 3 ? NULL : (const uint8_t *)"1", 1));
            break;
        case SCAN_COMMENT: HOLD(!scan_set_comment(s, 5, 9)); break;
        case SCAN_CHECK: s->check_text.n = 0; break;
        case SCAN_NOTES: notes_hold(s); break;
        case SCAN_LOST: {
            const uint8_t *newline = memchr(data + s->position, '\n', size - s->position);
            end = newline ? (size_t)(newline + 1 - data) : size;
        } /* fall through */
        case SCAN_DECLINE: {
            HOLD(end > s->position && end <= size);
            int64_t row = scan_add_row(s, 1, 2, 0.5, 0, 1, 0, -1, 0, nobody);
            HOLD(row >= 0 && !scan_set_parameters(s, row, (span){data, size < 9 ? size : 9}));
            declined += end - s->position;
            s->position = end;
            break;
        }
        default: HOLD(0);
        }
    }
    HOLD((size_t)s->entry_bytes + declined == s->position);
    rows_hold(&s->now);
    rows_hold(&s->before);
    notes_hold(s);
    return s->position;
}

static void keys_hold(const uint8_t *data, size_t size)
{
    key_parts first = {0}, second = {0};
    int kind = key_of((span){data, size}, &first);
    HOLD(kind != KEY_MEMORY && first.key.n <= first.key.cap);
    if (kind == KEY_STRIPPED) { /* it depends on nothing but the text, and not on what was before */
        HOLD(first.key.n <= 3 * size);
        HOLD(key_of((span){first.key.p, first.key.n}, &second) != KEY_MEMORY);
        HOLD(key_of((span){data, size}, &second) == KEY_STRIPPED);
        HOLD(second.key.n == first.key.n && !memcmp(second.key.p, first.key.p, first.key.n));
    }
    key_free(&first);
    key_free(&second);
}

/* A text with other digits, letters and quotes here and there has the key that its shape tells. */
static void shapes_hold(const uint8_t *data, size_t size)
{
    static const uint8_t others[] = "0'9\"$/*-. ";
    key_parts first = {0}, second = {0};
    shape like = {0};
    if (key_of((span){data, size}, &first) == KEY_STRIPPED) {
        uint8_t *changed = malloc(size);
        HOLD(changed);
        shape_set(&like, (span){data, size}, &first, 1);
        for (size_t times = 0; times < 4; times++) {
            memcpy(changed, data, size);
            for (size_t at = times * 7 + data[0] % 16; at < size; at += 11 + data[at] % 64)
                changed[at] = times ? (uint8_t)(changed[at] ^ (changed[at] >= '0' && changed[at] <= '9'))
                                    : others[data[at] % (sizeof others - 1)];
            int fits = shape_fits(&like, (span){changed, size}, &second);
            size_t literals = second.literals.n, comments = second.comments.n;
            HOLD(fits >= 0);
            if (!fits)
                continue;
            HOLD(key_of((span){changed, size}, &second) == KEY_STRIPPED);
            HOLD(second.literals.n == literals && second.comments.n == comments);
            HOLD(second.key.n == first.key.n && !memcmp(second.key.p, first.key.p, first.key.n));
        }
        free(changed);
    }
    key_free(&first);
    key_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 3)
        return 0;
    int form = input[0] % 3;
    size_t cut = input[1] * (size - 2) / 255;
    /* Copies of their own, so that a read beyond them is seen. */
    size_t rest = size - 2;
    uint8_t *data = malloc(rest ? rest : 1), *tail = NULL;
    HOLD(data);
    memcpy(data, input + 2, rest);
    scanner *s = scan_new(form, INT64_MIN / 2, INT64_MAX / 2, 3);
    HOLD(s);
    if (form == SCAN_STDERR)
        prefix(s, input[0] / 3);
    size_t used = scan_all(s, data, cut, 0);
    scan_turn(s);
    tail = malloc(rest - used ? rest - used : 1);
    HOLD(tail);
    memcpy(tail, data + used, rest - used);
    scan_all(s, tail, rest - used, 1);
    scan_turn(s);
    scan_turn(s);
    scan_free(s);
    keys_hold(data, rest);
    shapes_hold(data, rest);
    free(tail);
    free(data);
    return 0;
}
