# cython: language_level=3
"""Plans in YAML as PostgreSQL writes them, bare and whole, into their documents: the twin of yaml_format.py.

A text that has anything else (a client's marks, a list where none belongs, an end too early) is declined by giving
None: the Python reads it, and says what is wrong.
"""

from libc.string cimport memchr, memcmp

include "keys.pxi"


cdef class Yaml:
    """Reads lines `key: value`; `slow` reads a value that is neither a plain text nor a plain number, `last` and `first`
    are characters that no line of a bare plan ends or begins with."""

    cdef Keys keys
    cdef object slow
    cdef bint never_first[256]
    cdef bint never_last[256]
    cdef bint in_key[256]

    def __init__(self, slow, bytes first, bytes last):
        self.keys, self.slow = Keys(lambda key: (key, SCALAR)), slow
        for sign in range(256):
            self.never_first[sign], self.never_last[sign] = sign in first, sign in last
            self.in_key[sign] = is_letter(<char>sign) or c"0" <= sign <= c"9" or sign in b" _./-"

    def document(self, str text):
        """The document of the one plan of a text that is nothing else, and where it ends; None: declined.

        Raises what `slow` does.
        """
        cdef Py_ssize_t size
        if not PyUnicode_IS_COMPACT_ASCII(text):
            return None
        cdef const char *begin = PyUnicode_AsUTF8AndSize(text, &size)
        if not is_plain(begin, size):
            return None
        if has(begin, size, b"<t") or has(begin, size, b"QUERY PLAN") or has(begin, size, b"```"):
            return None
        cdef YamlReading reading = YamlReading.__new__(YamlReading)
        reading.of = self
        return reading.take_all(begin, begin + size)


cdef class YamlReading:
    """A plan while it is read: open containers with their columns, the innermost last."""

    cdef Yaml of
    cdef object pending  # a key of the innermost whose value is on deeper lines
    cdef list holders
    cdef Py_ssize_t columns[DEEPEST]
    cdef Py_ssize_t depth

    cdef object take_all(self, const char *begin, const char *end):
        cdef const char *at = begin
        cdef const char *line_end
        cdef Py_ssize_t column = 0
        if says(&at, end, b"- "):
            column = 2
        if not (begins(at, end, b"Plan:") or begins(at, end, b"Query Text:") or begins(at, end, b"Query Identifier:")):
            return None
        self.holders, self.columns[0], self.depth, self.pending = [{}], column, 0, None
        cdef const char *line = begin
        while True:
            line_end = <const char *>memchr(at, c"\n", end - at)
            if line_end is NULL:
                line_end = end
            if self.is_dressed(line, line_end) or not self.take(column, at, line_end):
                return None
            at = line_end
            while at < end and at[0] == c"\n":  # empty lines behind the last one
                at += 1
            if at == end:
                break
            if at - line_end > 1:
                return None
            line = at
            while at < end and at[0] == c" ":
                at += 1
            column = at - line
            if column < self.columns[0]:
                return None
        document = self.holders[0]
        if type((<dict>document).get("Plan")) is not dict:
            return None
        return document, line_end - begin

    cdef bint is_dressed(self, const char *begin, const char *end) noexcept:
        cdef const char *first = begin
        if begin == end:
            return True
        while first < end and first[0] == c" ":
            first += 1
        return (
            first == end or first[0] == c"|"
            or self.of.never_first[<unsigned char>begin[0]] or self.of.never_last[<unsigned char>end[-1]]
        )

    cdef bint take(self, Py_ssize_t column, const char *begin, const char *end) except -1:
        """One line; False where it is none of an ordinary plan."""
        while end > begin and end[-1] == c" ":
            end -= 1
        if end == begin or end[-1] == c"|":
            return False
        if end[-1] == c":" and end - begin > 5 and memcmp(end - 5, b"plan:", 5) == 0:
            return False  # what a log says before one
        while self.depth and self.columns[self.depth] > column:
            self.depth -= 1
            self.holders.pop()
            self.pending = None
        if end - begin > 1 and begin[0] == c"-" and begin[1] == c" ":
            return self.take_item(column, begin, end)
        return self.take_entry(column, begin, end)

    cdef bint take_item(self, Py_ssize_t column, const char *begin, const char *end) except -1:
        cdef const char *rest = begin + 2
        if column == self.columns[0]:
            return False
        while rest < end and rest[0] == c" ":
            rest += 1
        top = self.holders[-1]
        if type(top) is dict:
            if self.pending is None or column < self.columns[self.depth]:
                return False
            below = []
            (<dict>top)[self.pending] = below
            if not self.opens(column, below):
                return False
            top = below
        if rest == end or column != self.columns[self.depth]:
            return False
        if rest[0] == c'"' or rest[0] == c"[":
            (<list>top).append(self.value(rest, end))
            return True
        keys = {}
        (<list>top).append(keys)
        return self.opens(column + (rest - begin), keys) and self.take_entry(column + (rest - begin), rest, end)

    cdef bint take_entry(self, Py_ssize_t column, const char *begin, const char *end) except -1:
        cdef const char *colon = <const char *>memchr(begin, c":", end - begin)
        cdef const char *value
        cdef Py_ssize_t number
        if colon is NULL or not is_letter(begin[0]):
            return False
        for at in range(1, colon - begin):
            if not self.of.in_key[<unsigned char>begin[at]]:
                return False
        number = self.of.keys.number(begin, colon)
        if number < 0:
            return False
        top = self.holders[-1]
        if column > self.columns[self.depth]:
            if type(top) is not dict or self.pending is None:
                return False
            inner = {}
            (<dict>top)[self.pending] = inner
            if not self.opens(column, inner):
                return False
            top = inner
        key = self.of.keys.keys[number]
        if type(top) is not dict or column < self.columns[self.depth]:
            return False
        value = colon + 1
        while value < end and value[0] == c" ":
            value += 1
        self.pending = None if value < end else key
        return put(<dict>top, key, self.value(value, end) if value < end else [])

    cdef bint opens(self, Py_ssize_t column, object holder) except -1:
        if self.depth == DEEPEST - 1:
            return False
        self.depth += 1
        self.columns[self.depth] = column
        self.holders.append(holder)
        self.pending = None
        return True

    cdef object value(self, const char *begin, const char *end):
        if begin[0] == c'"' and end - begin > 1:
            if memchr(begin, c"\\", end - begin) is NULL and memchr(begin + 1, c'"', end - begin - 1) == end - 1:
                return text_of(begin + 1, end - 1)
        else:
            read = figure(begin, end)
            if read is not None:
                return read
        return self.of.slow(text_of(begin, end))


cdef inline bint begins(const char *at, const char *end, const char *word) noexcept:
    return says(&at, end, word)


cdef bint has(const char *begin, Py_ssize_t size, const char *word) noexcept:
    """Whether a word that begins with a rare character stands somewhere."""
    cdef const char *at = begin
    cdef const char *end = begin + size
    while True:
        at = <const char *>memchr(at, word[0], end - at)
        if at is NULL:
            return False
        if begins(at, end, word):
            return True
        at += 1
