# cython: language_level=3, boundscheck=False, wraparound=False
"""The C scanner (scan.h) as a Python object: blocks in, questions and columns out."""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdlib cimport free
from libc.string cimport memchr, memset
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

import numpy as np

FORMATS = {"stderr": SCAN_STDERR, "csvlog": SCAN_CSVLOG, "jsonlog": SCAN_JSONLOG}
FIELDS = {
    "time": F_TIME, "process": F_PROCESS, "session": F_SESSION, "line": F_LINE, "user": F_USER,
    "database": F_DATABASE, "application": F_APPLICATION, "query_id": F_QUERY, "code": F_CODE,
}
ENTRY, PLAN, BELONGING, FILE = NOTE_ENTRY, NOTE_PLAN, NOTE_BELONGING, NOTE_FILE
END, DECLINE, LOST, TIME = SCAN_END, SCAN_DECLINE, SCAN_LOST, SCAN_TIME
SESSION, SPEAKER, KEY = SCAN_SESSION, SCAN_SPEAKER, SCAN_KEY
TEXT, COMMENT, CHECK = SCAN_TEXT, SCAN_COMMENT, SCAN_CHECK
NOTES = SCAN_NOTES

cdef span span_of(bytes text):
    cdef span made
    made.p = <const uint8_t *><const char *>text
    made.n = len(text)
    return made

cdef bytes text_of(span text):
    return PyBytes_FromStringAndSize(<const char *>text.p, text.n) if text.n else b""

cdef str words_of(span text):
    return PyUnicode_DecodeUTF8(<const char *>text.p, text.n, NULL) if text.n else ""

cdef object column(const void *p, size_t count, str kind):
    size = np.dtype(kind).itemsize
    return np.frombuffer(PyBytes_FromStringAndSize(<const char *>p, count * size), dtype=kind)

cdef class Given:
    """Memory that was the scanner's: it goes with the last array that looks at it."""

    cdef void *p
    cdef Py_ssize_t size

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.p, self.size, 1, flags)

    def __dealloc__(self):
        free(self.p)

cdef object given(rows *r, object lender, void *column, size_t count, str kind):
    """A column that the scanner has filled, in the lender's memory or its own, which is no more the scanner's."""
    cdef Given memory
    if rows_borrow(r, column):
        return np.frombuffer(lender, dtype=kind, count=count, offset=<uint8_t *>column - r.lent)
    memory = Given.__new__(Given)
    memory.p, memory.size = column, count * np.dtype(kind).itemsize
    return np.frombuffer(memory, dtype=kind)

cdef tuple taken_texts(rows *r, object lender):
    """The parameters' bytes and their ends, in the lender's memory, or as copies of what the scanner keeps."""
    if r.texts.lent:
        start = r.texts.p - r.lent
        texts = memoryview(lender)[start:start + r.texts.n]
    else:
        texts = PyBytes_FromStringAndSize(<const char *>r.texts.p, r.texts.n)
    if rows_borrow(r, r.ends):
        return texts, given(r, lender, r.ends, r.texts_count, "i8")
    return texts, column(r.ends, r.texts_count, "i8")

cdef int good(int answer) except -1:
    if answer:
        raise MemoryError
    return 0


cdef class Scanner:
    """One input's scanner; see scan.h for the questions that `run` asks."""

    cdef scanner *s
    cdef const uint8_t[::1] block
    cdef object lender, lender_before  # of memory in which the columns of the rows are: now, and of those before

    def __cinit__(self, int form, int64_t since_us, int64_t until_us, int64_t check_every):
        self.s = scan_new(form, since_us, until_us, check_every)
        if self.s == NULL:
            raise MemoryError

    def __dealloc__(self):
        scan_free(self.s)

    def add_prefix(self, str escape, int field, bytes literal):
        """One step of the log_line_prefix; False if it is too long."""
        cdef char code = ord(escape) if escape else 0
        return scan_prefix(self.s, code, field, span_of(literal)) == 0

    def set_block(self, const uint8_t[::1] block, bint last):
        """The next block; it must not change until all of it is scanned."""
        self.block = block
        scan_block(self.s, &block[0] if block.shape[0] else NULL, block.shape[0], last)

    def run(self):
        """Scan on to the block's end or the next question."""
        cdef int answer
        with nogil:
            answer = scan_run(self.s)
        if answer == SCAN_MEMORY:
            raise MemoryError
        return answer

    def ask(self, int place=0):
        return text_of(self.s.ask[place])

    @property
    def position(self):
        return self.s.position

    @position.setter
    def position(self, size_t position):
        self.s.position = position

    @property
    def entry_end(self):
        return self.s.entry_end

    @property
    def session(self):
        return self.s.session

    def taken_apart(self):
        """A declined entry's time, severity, SQLSTATE, message, query id, line, speaker (user,
        database, application), detail and statement; None if it was not understood.

        Message, detail and statement are text, all else is as written."""
        cdef scanner *s = self.s
        cdef span message = s.field[F_MESSAGE]
        if not s.understood:
            return None
        if s.format == SCAN_STDERR and message.n and memchr(message.p, 10, message.n) != NULL:
            text = text_of(message).replace(b"\n\t", b"\n").decode()
        else:
            text = words_of(message)
        return (s.at_us, text_of(s.field[F_SEVERITY]), text_of(s.field[F_CODE]), text,
                text_of(s.field[F_QUERY]), text_of(s.field[F_LINE]),
                (text_of(s.field[F_USER]), text_of(s.field[F_DATABASE]),
                 text_of(s.field[F_APPLICATION])),
                words_of(s.field[F_DETAIL]), words_of(s.field[F_STATEMENT]))

    @property
    def entry_lines(self):
        return self.s.entry_lines

    @property
    def entries(self):
        return self.s.entries

    @entries.setter
    def entries(self, int64_t entries):
        self.s.entries = entries

    def counts(self):
        """entry bytes, lines, parses, binds, entries outside the window, plans let go of: since the
        last call."""
        cdef scanner *s = self.s
        found = (s.entry_bytes, s.lines, s.parses, s.binds, s.outside, s.plans)
        s.entry_bytes = s.lines = s.parses = s.binds = s.outside = s.plans = 0
        return found

    @property
    def minimum_ms(self):
        return self.s.minimum_ms

    def set_time(self, at_us):
        if at_us is None:
            scan_set_time(self.s, 0, 0)
        else:
            scan_set_time(self.s, 1, at_us)

    def set_session(self, session):
        """The session that was asked for; the number that it has here."""
        good(scan_set_session(self.s, session.number, False))
        self.take_back(self.s.session_count - 1, session)
        return self.s.session_count - 1

    def clear_sessions(self):
        scan_clear_sessions(self.s)

    def set_speaker(self, int32_t database, int32_t user, int32_t application):
        good(scan_set_speaker(self.s, database, user, application))

    def set_key(self, int32_t key):
        good(scan_set_key(self.s, key))

    def set_text(self, int32_t key, int32_t comment, int64_t trace, literals):
        cdef bytes text
        if literals is None:
            good(scan_set_text(self.s, key, comment, trace, NULL, 0))
        else:
            text = literals
            good(scan_set_text(self.s, key, comment, trace, <const uint8_t *><const char *>text,
                               len(text)))

    def known_key(self, str text):
        """The number of the key of a statement that was met before; -1 if it is not known here."""
        cdef Py_ssize_t size
        cdef span given
        given.p = <const uint8_t *>PyUnicode_AsUTF8AndSize(text, &size)
        given.n = size
        return -1 if memchr(given.p, 0, given.n) else scan_known_key(self.s, given)

    def set_comment(self, int32_t comment, int64_t trace):
        good(scan_set_comment(self.s, comment, trace))

    def hand_out(self, int32_t slot, session):
        """Python is to have a session: it learns what was done with it here since it had it."""
        cdef session_state *x = &self.s.sessions[slot]
        if x.other:
            return
        self.become(session, x.timed, x.said, x.cleared, x.timed_key, x.phased_us)
        session.row = x.row
        session.event = None
        x.other = 1
        x.timed = x.cleared = x.said = 0

    cdef become(self, session, bint timed, bint said, bint cleared, int32_t key, int64_t phased_us):
        if timed:
            session.used = True
            session.key = key if phased_us < 0 else -1
            session.began = (phased_us, key) if phased_us >= 0 else None
        elif said:
            session.used = True
        if cleared:
            session.waiting = None

    @property
    def note_count(self):
        """How many entries wait for Python to judge them: `note`, each in its turn, then `forget_notes`."""
        return self.s.note_count

    def note_slot(self, size_t number):
        return self.s.notes[number].slot

    def note_kind(self, size_t number):
        return kind_of_note(&self.s.notes[number])

    def note(self, size_t number, list sessions):
        """An entry, or what belongs to one (then all but session, DETAIL and key are empty): its session, which
        becomes what it was then, time, severity, SQLSTATE, message, DETAIL, the key of its STATEMENT (-1: not
        known, -2: it has none), the row of the session before, and the shortest duration of the log up to it."""
        cdef note *n = &self.s.notes[number]
        session = sessions[n.slot]
        key = n.statement_key if n.has_statement else -2
        if n.kind == NOTE_BELONGING:
            return session, 0, "", "", "", self.note_text(number, N_DETAIL), key, -1, 0.0
        self.noted_session(n, session)
        session.who = None
        session.speaker = (session.number, n.database, n.user, n.application)
        return (session, n.at_us, self.note_text(number, N_SEVERITY), self.note_text(number, N_CODE),
                self.note_text(number, N_MESSAGE), self.note_text(number, N_DETAIL), key, n.row, n.minimum_ms)

    def note_file(self, size_t number, list sessions):
        """As `note`, of a temporary file: its session, time, bytes, the key of its statement, and as there the row and
        the shortest duration."""
        cdef note *n = &self.s.notes[number]
        session = sessions[n.slot]
        self.noted_session(n, session)
        session.who = None
        session.speaker = (session.number, n.database, n.user, n.application)
        return session, n.at_us, n.file_bytes, n.statement_key, n.row, n.minimum_ms

    def note_plan(self, size_t number, list sessions):
        """As `note`, of a plan: its session, time, duration, text, the key of its statement, and its line."""
        cdef note *n = &self.s.notes[number]
        session = sessions[n.slot]
        self.noted_session(n, session)
        session.used = True
        return (session, n.at_us, n.duration_ms, self.note_text(number, N_MESSAGE), n.statement_key, n.line)

    cdef noted_session(self, note *n, session):
        if not n.is_python:
            self.become(session, n.timed, n.said, n.cleared, n.timed_key, n.phased_us)
        session.row = -1
        session.event = None

    def note_statement(self, size_t number):
        return self.note_text(number, N_STATEMENT)

    cdef str note_text(self, size_t number, int what):
        cdef note *n = &self.s.notes[number]
        cdef size_t start = n.end[what - 1] if what else self.s.notes[number - 1].end[N_STATEMENT] if number else 0
        cdef span text
        text.p = self.s.note_texts.p + start
        text.n = n.end[what] - start
        return words_of(text)

    def forget_notes(self):
        self.s.note_count = self.s.note_texts.n = 0

    def set_plan_floor(self, int32_t key, double duration_ms):
        """Plans of a statement's key that took less than this would not be kept."""
        good(scan_set_plan_floor(self.s, key, duration_ms))

    def take_back(self, int32_t slot, session):
        """What Python made of a session. While only it knows what that waits for, entries are its."""
        cdef session_state *x = &self.s.sessions[slot]
        x.row = session.row
        x.number = session.number
        x.python = session.ended or session.waiting is not None
        x.renewable, x.used, x.fresh = session.renewable, session.used, session.fresh
        x.other = 1
        if session.row != -1:
            x.waits = WAITS_UNKNOWN
        else:
            x.waits = WAITS_NOT if session.event is None else WAITS_FAILED

    def check(self):
        """The answer to CHECK: the statement's text and its key."""
        text = PyBytes_FromStringAndSize(<const char *>self.s.check_text.p, self.s.check_text.n)
        self.s.check_text.n = 0
        return text, self.s.check_key

    # Rows that Python adds.

    def begin_at(self, int64_t row):
        """The number of the first row, before there is any."""
        self.s.now.base = self.s.before.base = row

    @property
    def oldest(self):
        return self.s.before.base

    def add_row(self, int64_t start_us, int64_t end_us, double duration_ms, int32_t key,
                int64_t line, int64_t query_id, int32_t comment, int64_t trace, speaker):
        cdef int32_t numbers[4]
        numbers[0], numbers[1], numbers[2], numbers[3] = speaker
        row = scan_add_row(self.s, start_us, end_us, duration_ms, key, line, query_id, comment,
                           trace, numbers)
        if row < 0:
            raise MemoryError
        return row

    def set_parameters(self, int64_t row, bytes text):
        good(scan_set_parameters(self.s, row, span_of(text)))

    def set_flags(self, int64_t row, int8_t flags):
        scan_set_flags(self.s, row, flags)

    def lend(self, memory):
        """Memory for the columns of the rows to come; whether it is used. See scan_lend."""
        cdef uint8_t[::1] room = memory
        if not scan_lend(self.s, &room[0], room.shape[0]):
            return False
        self.lender = memory
        return True

    def take(self):
        """The complete rows: columns by name, and the parameters' bytes and ends; None if none."""
        cdef rows r = self.s.before
        lender, self.lender_before = self.lender_before, self.lender
        n = r.count
        if n:
            scan_given(&self.s.before)
            self.lender = None
        else:
            self.lender = lender
        scan_turn(self.s)
        if not n:
            return None
        columns = {
            "start_us": given(&r, lender, r.start_us, n, "i8"),
            "end_us": given(&r, lender, r.end_us, n, "i8"),
            "duration_ms": given(&r, lender, r.duration_ms, n, "f8"),
            "key": given(&r, lender, r.key, n, "i4"),
            "parameters": given(&r, lender, r.parameters, n, "i4"),
            "parameters_hash": given(&r, lender, r.parameters_hash, n, "u4"),
            "comment": given(&r, lender, r.comment, n, "i4"),
            "trace": given(&r, lender, r.trace, n, "i8"),
            "session": given(&r, lender, r.session, n, "i4"),
            "line": given(&r, lender, r.line, n, "i8"),
            "database": given(&r, lender, r.database, n, "i4"),
            "user": given(&r, lender, r.user, n, "i4"),
            "application": given(&r, lender, r.application, n, "i4"),
            "query_id": given(&r, lender, r.query_id, n, "i8"),
            "flags": given(&r, lender, r.flags, n, "i1"),
        }
        return columns, *taken_texts(&r, lender)

    def give_back(self):
        """What was lent for rows that have not come goes back to its lender."""
        if self.s.now.lent != NULL and not self.s.now.count:
            scan_given(&self.s.now)
            self.lender = None
        if self.s.before.lent != NULL and not self.s.before.count:
            scan_given(&self.s.before)
            self.lender_before = None

    def phases(self):
        """(key, parses, parse ns, binds, bind ns) of every statement that had any."""
        return [
            (key, self.s.phases[key].parses, self.s.phases[key].parse_ns, self.s.phases[key].binds,
             self.s.phases[key].bind_ns)
            for key in range(self.s.phase_cap)
            if self.s.phases[key].parses or self.s.phases[key].binds
        ]


def keep_memory():
    """Have the allocator keep what is freed, for the columns of the next chunk."""
    c_keep_memory()


cdef tuple parts_told(const key_parts *parts):
    return (
        PyBytes_FromStringAndSize(<const char *>parts.literals.p, parts.literals.n)
        if parts.has_literals else None,
        PyBytes_FromStringAndSize(<const char *>parts.comments.p, parts.comments.n)
        if parts.has_comments else None,
    )


def safe_key(bytes text):
    """The C twin's (key, literals, comments), for tests; None where it leaves the text to Python.

    A text whose head is not strippable is its own key, with neither literals nor comments.
    """
    cdef key_parts parts
    cdef int kind
    if b"\0" in text:
        return None
    memset(&parts, 0, sizeof(parts))
    try:
        kind = key_of(span_of(text), &parts)
        if kind == KEY_MEMORY:
            raise MemoryError
        if kind == KEY_UNSURE:
            return None
        if kind == KEY_RAW:
            return text, None, None
        return PyBytes_FromStringAndSize(<const char *>parts.key.p, parts.key.n), *parts_told(&parts)
    finally:
        key_free(&parts)


def same_shape(bytes known, bytes text):
    """The (literals, comments) of a text that is seen to have a known one's key, for tests; None of others."""
    cdef key_parts parts
    cdef shape like
    cdef int fits = 0
    if b"\0" in known or b"\0" in text:
        return None
    memset(&parts, 0, sizeof(parts))
    try:
        if key_of(span_of(known), &parts) == KEY_STRIPPED:
            shape_set(&like, span_of(known), &parts, 0)
            fits = shape_fits(&like, span_of(text), &parts)
        if fits < 0:
            raise MemoryError
        return parts_told(&parts) if fits else None
    finally:
        key_free(&parts)
