/* What the server says beside executions, and plans. Python judges it, many entries at a time: one by one,
 * between so much that is scanned, each would find its code and data out of the processor's caches. */
#define _GNU_SOURCE /* memmem */
#include "scan.h"

#include <stdlib.h>
#include <string.h>

enum {
    NOTES_MOST = 1024, NOTE_BYTES = 1 << 20,
    STATEMENT_WITHIN = 1 << 20, COST_WITHIN = 500, /* as plan_texts.py looks */
    LOOKED_AT = 4000, /* as event_texts.py does, by characters */
};

static int begins(span text, const char *with)
{
    size_t n = strlen(with);
    return text.n >= n && same(text.p, with, n);
}

static const uint8_t *found_in(span text, const char *what)
{
    return text.n ? memmem(text.p, text.n, what, strlen(what)) : NULL;
}

static int has_comment(span text) { return found_in(text, "--") || found_in(text, "/*"); }

/* A note of the current entry, of this kind; NULL: no memory. */
static note *noted(scanner *s, session_state *x, int kind, const span *texts)
{
    if (s->note_count == s->note_cap) {
        size_t cap = s->note_cap ? s->note_cap * 2 : 64;
        note *grown = realloc(s->notes, cap * sizeof *grown);
        if (!grown)
            return NULL;
        s->notes = grown;
        s->note_cap = cap;
    }
    note *made = &s->notes[s->note_count];
    *made = (note){.at_us = s->at_us, .row = x->row, .phased_us = x->phased_us, .minimum_ms = s->minimum_ms,
                   .slot = s->session, .database = x->database, .user = x->user,
                   .application = x->application, .timed_key = x->timed_key, .statement_key = -1, .file_bytes = -1,
                   .kind = (uint8_t)kind, .has_statement = texts[N_STATEMENT].n != 0,
                   .is_python = x->other, .timed = x->timed, .cleared = x->cleared, .said = x->said};
    for (int i = 0; i < N_COUNT; i++) {
        if (texts[i].n && buffer_add(&s->note_texts, texts[i].p, texts[i].n))
            return NULL;
        made->end[i] = s->note_texts.n;
    }
    if (made->has_statement)
        made->statement_key = scan_known_key(s, texts[N_STATEMENT]);
    s->note_count++;
    return made;
}

/* The note that a DETAIL or STATEMENT of the session completes: its entry's, if that was noted last. */
static note *last_note_of(scanner *s, int what)
{
    note *last = s->note_count ? &s->notes[s->note_count - 1] : NULL;
    int is_entry = last && last->kind == NOTE_ENTRY && last->slot == s->session;
    return is_entry && last->end[what - 1] == last->end[N_STATEMENT] ? last : NULL;
}

/* Add a text to the last note, behind those that it has. -1: no memory. */
static int completed(scanner *s, note *last, int what, span text)
{
    if (buffer_add(&s->note_texts, text.p, text.n))
        return -1;
    for (int i = what; i < N_COUNT; i++)
        last->end[i] = s->note_texts.n;
    if (what == N_STATEMENT) {
        last->has_statement = 1;
        last->statement_key = scan_known_key(s, text);
    }
    return 0;
}

/* SCAN_NOTES where a note must be told before anything else is read. */
static int told(const scanner *s, const note *last, int urgent)
{
    if (last->has_statement && last->statement_key < 0)
        urgent = 1; /* it is to get its number before those that follow */
    return urgent || s->note_count >= NOTES_MOST || s->note_texts.n >= NOTE_BYTES ? SCAN_NOTES : SCAN_END;
}

/* Python knows of the session's entry, or will. */
static void pythons(session_state *x, int waits)
{
    x->row = -1;
    x->other = 1;
    x->timed = x->cleared = x->said = 0;
    x->waits = (uint8_t)waits;
}

/* A line of stderr that belongs to an entry that Python judged, or will. */
int told_belonging(scanner *s, session_state *x)
{
    span severity = s->field[F_SEVERITY], text = s->field[F_MESSAGE], texts[N_COUNT] = {{0}};
    if (x->waits == WAITS_UNKNOWN || !same_speaker(s, x))
        return SCAN_DECLINE;
    int is_statement = severity.n == 9 && severity.p[0] == 'S';
    int is_detail = severity.n == 6 && severity.p[0] == 'D';
    if (!x->waits || (!is_statement && !is_detail)) {
        done(s);
        return SCAN_END;
    }
    if (!text.n)
        return SCAN_DECLINE;
    if (s->entry_lines > 1 && joined_lines(&s->message, &text))
        return SCAN_MEMORY;
    int what = is_statement ? N_STATEMENT : N_DETAIL;
    note *made = last_note_of(s, what);
    texts[what] = text;
    if (made ? completed(s, made, what, text) : !(made = noted(s, x, NOTE_BELONGING, texts)))
        return SCAN_MEMORY;
    /* A comment gets its number, if what it is of was cancelled; a DETAIL may have other statements. */
    int urgent = is_detail ? begins(text, "Process ") : x->waits == WAITS_FAILED && has_comment(text);
    if (is_statement)
        x->waits = WAITS_NOT;
    done(s);
    return told(s, made, urgent);
}

/* What a message tells of its session: the twin of EntrySink._follow. Whether it is another backend now. */
static int followed(session_state *x, span message)
{
    int was_used = x->used, was_fresh = x->fresh;
    if (!x->renewable)
        return 0;
    int received = begins(message, "connection received: ");
    int authorized = begins(message, "connection authorized: ") && !was_fresh;
    x->used = 1;
    x->fresh = (uint8_t)(received || (was_fresh && begins(message, "connection authenticated: ")));
    x->python = (uint8_t)begins(message, "disconnection: ");
    return (received || authorized) && was_used;
}

int kind_of_note(const note *n)
{
    int is_whole = n->has_statement && n->statement_key >= 0 && n->end[N_DETAIL] == n->end[N_MESSAGE];
    return n->kind == NOTE_ENTRY && n->file_bytes >= 0 && is_whole ? NOTE_FILE : n->kind;
}

/* The bytes of the temporary file that a message tells of, as event_texts.py reads it; -1 of others, and of what
 * Python has to look at. */
static int64_t file_bytes(span message)
{
    static const char before[] = "temporary file: path \"", behind[] = "\", size ";
    if (message.n > LOOKED_AT || !begins(message, before))
        return -1;
    const uint8_t *at = message.p + sizeof before - 1, *end = message.p + message.n, *path = at;
    int64_t size = 0;
    int digits = 0;
    while (at < end && *at != '"' && *at != '\n') at++;
    if (at == path || !begins((span){at, (size_t)(end - at)}, behind))
        return -1;
    for (at += sizeof behind - 1; at < end && *at >= '0' && *at <= '9'; at++) {
        if (++digits > 18)
            return -1;
        size = 10 * size + (*at - '0');
    }
    return digits && (at == end || *at < 0x80) ? size : -1; /* a digit of another script goes on with the number */
}

/* An entry that tells of no execution, phase or plan. */
int untimed(scanner *s, session_state *x)
{
    span message = s->field[F_MESSAGE], *field = s->field;
    int good = 1;
    if (begins(message, "duration: ") && begins(field[F_SEVERITY], "LOG"))
        return SCAN_DECLINE;
    if (begins(message, "statement") || begins(message, "execute")) /* its duration may follow */
        return SCAN_DECLINE;
    if (s->format == SCAN_STDERR && message.n > 6 && message.p[5] == ':' && message.p[6] == ' ')
        return SCAN_DECLINE; /* log_error_verbosity = verbose */
    if (s->format != SCAN_STDERR) {
        integer_of(field[F_LINE], &good);
        if (!good)
            return SCAN_DECLINE;
    }
    if (s->at_us < s->since_us || s->at_us >= s->until_us) {
        passed(s, x);
        return SCAN_END;
    }
    if (!same_speaker(s, x))
        return speaker_asked(s);
    if (s->format == SCAN_STDERR && s->entry_lines > 1 && joined_lines(&s->message, &message))
        return SCAN_MEMORY;
    const span texts[N_COUNT] = {field[F_SEVERITY], field[F_CODE], message, field[F_DETAIL], field[F_STATEMENT]};
    /* As for lines of stderr that belong to an entry. */
    int urgent = followed(x, message) || field[F_DETAIL].n || has_comment(field[F_STATEMENT]);
    note *made = noted(s, x, NOTE_ENTRY, texts);
    if (!made)
        return SCAN_MEMORY;
    s->entries++;
    int is_log = begins(field[F_SEVERITY], "LOG");
    if (is_log && field[F_SEVERITY].n == 3)
        made->file_bytes = file_bytes(message);
    pythons(x, s->format != SCAN_STDERR ? WAITS_NOT : is_log ? WAITS : WAITS_FAILED);
    done(s);
    return told(s, made, urgent);
}

/* The statement that a plan says it is of, where it is written as auto_explain writes it in JSON or as
 * text. 0: Python is to say; -1: no memory. */
static int statement_of(scanner *s, span plan, span *statement)
{
    static const char json[] = "{\n  \"Query Text\": \"", text[] = "Query Text: ";
    const uint8_t *end = plan.p + plan.n;
    if (plan.n > STATEMENT_WITHIN)
        return 0;
    if (begins(plan, json)) {
        int escapes = 0;
        const uint8_t *start = plan.p + sizeof json - 1, *behind = json_string_end(start, end, &escapes);
        if (!behind)
            return 0;
        *statement = (span){start, (size_t)(behind - 1 - start)};
        if (!escapes)
            return 1;
        s->detail.n = 0;
        int bad = json_unescaped(&s->detail, start, behind - 1);
        *statement = (span){s->detail.p, s->detail.n};
        return bad == -2 ? -1 : !bad;
    }
    if (!begins(plan, text) || found_in(plan, "Node Type:"))
        return 0;
    const uint8_t *start = plan.p + sizeof text - 1, *line = start;
    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        const uint8_t *next = line + 1, *stop = memchr(next, '\n', (size_t)(end - next));
        span behind = {next, (size_t)((stop ? stop : end) - next)};
        int is_end = begins(behind, "Query Parameters: ");
        if (!is_end && behind.n) { /* a cost that the line does not begin with */
            const uint8_t *cost = found_in((span){next + 1, behind.n - 1}, "(cost=");
            if (cost && cost - next > COST_WITHIN)
                return 0;
            is_end = cost != NULL;
        }
        if (is_end) {
            *statement = (span){start, (size_t)(line - start)};
            return 1;
        }
        line = next;
    }
    return 0;
}

/* A plan; `plan` is what follows its duration. Of a statement that has its slowest it is let go of. */
int planned(scanner *s, session_state *x, double duration_ms, span plan)
{
    span texts[N_COUNT] = {{0}};
    int64_t line = s->entries + 1;
    int good = 1;
    if (s->field[F_LINE].n)
        line = integer_of(s->field[F_LINE], &good);
    if (!good)
        return SCAN_DECLINE;
    if (s->format == SCAN_STDERR && s->entry_lines > 1 && joined_lines(&s->message, &plan))
        return SCAN_MEMORY;
    while (plan.n && *plan.p == '\n')
        plan.p++, plan.n--;
    int known = statement_of(s, plan, &texts[N_STATEMENT]);
    if (known <= 0 || !texts[N_STATEMENT].n)
        return known < 0 ? SCAN_MEMORY : SCAN_DECLINE;
    int32_t key = scan_known_key(s, texts[N_STATEMENT]);
    if (key >= 0 && (size_t)key < s->plan_count && duration_ms < s->plan_floor[key]) {
        begin(s, x);
        x->said = x->used = 1;
        s->plans++;
        done(s);
        return SCAN_END;
    }
    texts[N_MESSAGE] = plan;
    note *made = noted(s, x, NOTE_PLAN, texts);
    if (!made)
        return SCAN_MEMORY;
    made->line = line;
    made->duration_ms = duration_ms;
    s->entries++;
    x->used = 1;
    pythons(x, WAITS_NOT);
    done(s);
    return told(s, made, 0);
}

int scan_set_plan_floor(scanner *s, int32_t key, double duration_ms)
{
    size_t count = s->plan_count ? s->plan_count : 256;
    while (count <= (size_t)key)
        count *= 2;
    if (count > s->plan_count) {
        double *grown = realloc(s->plan_floor, count * sizeof *grown);
        if (!grown)
            return -1;
        for (size_t i = s->plan_count; i < count; i++)
            grown[i] = -1;
        s->plan_floor = grown;
        s->plan_count = count;
    }
    s->plan_floor[key] = duration_ms;
    return 0;
}
