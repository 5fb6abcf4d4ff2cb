# Keys and values in the text of a plan in XML or YAML, for the two modules that read these.

from cpython.bytes cimport PyBytes_AS_STRING
from libc.string cimport memset

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object)
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL

include "words.pxi"

DEF LONGEST_KEY = 100
DEF MOST_KEYS = 2000
DEF SLOTS = 2048  # a power of two
DEF DEEPEST = 500

DEF SCALAR = 0
DEF TEXT = 1
DEF LIST = 2
DEF OTHER = 3


cdef class Keys:
    """The keys of documents by how a text writes them: (key, kind) as `describe` has it, asked once.

    `describe` gives of a written key the document's, and whether its value is a scalar (0), a text (1), a list (2) or
    to be read by the Python (3).
    """

    cdef object describe
    cdef dict known  # written -> its number
    cdef list written, keys
    cdef unsigned char kinds[MOST_KEYS]
    cdef int slots[SLOTS]  # numbers + 1 by hash

    def __init__(self, describe):
        self.describe = describe
        self.known, self.written, self.keys = {}, [], []
        memset(self.slots, 0, sizeof(self.slots))

    cdef Py_ssize_t number(self, const char *begin, const char *end) except -2:
        """The number of a key; -1 where it is longer than any, or there were too many."""
        cdef unsigned int hashed = 2166136261
        cdef Py_ssize_t found, size = end - begin, length
        cdef const char *text
        if size > LONGEST_KEY:
            return -1
        for at in range(size):
            hashed = (hashed ^ <unsigned char>begin[at]) * 16777619
        hashed &= SLOTS - 1
        found = self.slots[hashed] - 1
        if found >= 0:
            text = PyBytes_AS_STRING(self.written[found])
            length = len(<bytes>self.written[found])
            if length == size and memcmp(text, begin, size) == 0:
                return found
        key = begin[:size]
        place = self.known.get(key)
        if place is None:
            if len(self.written) == MOST_KEYS:
                return -1
            place = len(self.written)
            name, self.kinds[place] = self.describe(key.decode("ascii"))
            self.known[key] = place
            self.written.append(key)
            self.keys.append(name)
        self.slots[hashed] = <int>place + 1
        return place


cdef inline bint is_letter(char sign) noexcept:
    return c"a" <= (sign | 32) <= c"z"


cdef inline object figure(const char *begin, const char *end):
    """A number that is all of a text, None where it is none, or a long one."""
    cdef Figure read
    cdef bint negative = begin < end and begin[0] == c"-"
    cdef const char *at = begin + negative
    if not number(&at, end, &read) or at != end:
        return None
    if read.digits:
        return -decimal(&read) if negative else decimal(&read)
    return -read.whole if negative else read.whole


cdef bint is_plain(const char *begin, Py_ssize_t size) noexcept:
    """Whether a text is ASCII without control characters but ends of lines."""
    cdef bint other = False
    for at in range(size):  # without a way out, so that the compiler looks at many at once
        other |= (<unsigned char>begin[at] < c" ") & (begin[at] != c"\n")
    return not other


cdef bint put(dict keys, object key, object value) except -1:
    """Add a key; False where it was there."""
    cdef Py_ssize_t before = len(keys)
    keys[key] = value
    return len(keys) > before
