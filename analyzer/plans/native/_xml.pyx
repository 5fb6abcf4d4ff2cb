# cython: language_level=3
"""Plans in XML as PostgreSQL writes them, bare and whole, into their documents: the twin of xml_format.py.

A text that has anything else (a client's marks, a value over several lines, an end too early) is declined by giving
None: the Python reads it, and says what is wrong.
"""

from libc.string cimport memchr, memcmp

include "keys.pxi"


cdef class Xml:
    """Reads `<explain>` … `</explain>`; `slow` reads the text of a long number."""

    cdef Keys keys
    cdef object slow

    def __init__(self, describe, slow):
        self.keys, self.slow = Keys(describe), slow

    def document(self, str text):
        """The document of the one plan of a text that is nothing else, and where it ends; None: declined."""
        cdef Py_ssize_t size
        if not PyUnicode_IS_COMPACT_ASCII(text):
            return None
        cdef const char *begin = PyUnicode_AsUTF8AndSize(text, &size)
        if not is_plain(begin, size):
            return None
        cdef XmlReading reading = XmlReading.__new__(XmlReading)
        reading.keys, reading.slow = self.keys, self.slow
        reading.holders = []
        return reading.take_all(begin, begin + size)


cdef class XmlReading:
    """A plan while it is read: open elements, the innermost last, with what each holds (None as long as it is empty)."""

    cdef Keys keys
    cdef object slow
    cdef list holders
    cdef Py_ssize_t numbers[DEEPEST]
    cdef const char *tags[DEEPEST]
    cdef Py_ssize_t sizes[DEEPEST]
    cdef Py_ssize_t depth

    cdef object take_all(self, const char *begin, const char *end):
        cdef const char *at = begin
        cdef const char *sign
        cdef object document = None
        if not says(&at, end, b"<explain xmlns="):
            return None
        sign = <const char *>memchr(at, c">", end - at)
        if sign is NULL or sign - at < 3 or at[0] != c'"' or memchr(at + 1, c'"', sign - at - 1) != sign - 1:
            return None
        if memchr(at, c"<", sign - at) is not NULL or memchr(at, c"&", sign - at) is not NULL:
            return None
        at = sign + 1
        if not self.goes_down(&at, end) or not says(&at, end, b"<Query>") or not self.goes_down(&at, end):
            return None
        self.depth = 0
        self.holders.append({})
        while not says(&at, end, b"</Query>"):
            if not self.take(&at, end) or not self.goes_down(&at, end):
                return None
        if self.depth or not self.goes_down(&at, end) or not says(&at, end, b"</explain>"):
            return None
        document = self.holders[0]
        if type((<dict>document).get("Plan")) is not dict:
            return None
        sign = at
        while sign < end and (sign[0] == c"\n" or sign[0] == c" "):
            sign += 1
        return (document, at - begin) if sign == end else None

    cdef bint goes_down(self, const char **at, const char *end) noexcept:
        """Whether the next line begins with an element; then go there."""
        cdef const char *sign = at[0]
        if sign == end or sign[0] != c"\n":
            return False
        sign += 1
        while sign < end and sign[0] == c" ":
            sign += 1
        at[0] = sign
        return sign < end and sign[0] == c"<"

    cdef bint take(self, const char **at, const char *end) except -1:
        """An element that begins and ends within a line, or one of its ends; False where it is none that is known."""
        cdef const char *begin = at[0] + 1
        cdef const char *sign = begin
        cdef const char *value
        cdef Py_ssize_t size, key
        if begin < end and begin[0] == c"/":
            return self.ends(at, end)
        while sign < end and (is_letter(sign[0]) or sign[0] == c"-" or c"0" <= sign[0] <= c"9"):
            sign += 1
        size = sign - begin
        if sign == end or sign[0] != c">" or size == 0 or not is_letter(begin[0]):
            return False
        key = self.keys.number(begin, sign)
        if key < 0 or self.keys.kinds[key] == OTHER:
            return False
        value = sign + 1
        if value < end and value[0] == c"\n":
            return self.begins(at, begin, size, key)
        sign = <const char *>memchr(value, c"<", end - value)
        if sign is NULL or end - sign < size + 3 or sign[1] != c"/" or sign[size + 2] != c">":
            return False
        if memcmp(sign + 2, begin, size) != 0:
            return False
        at[0] = sign + size + 3
        if memchr(value, c"\n", sign - value) is not NULL:
            return False
        if size == 4 and memcmp(begin, b"Item", 4) == 0:
            return self.add_item(self.text(value, sign))
        if self.is_one_of(begin, size) or self.keys.kinds[key] == LIST:
            return False
        return self.add(key, self.value(key, value, sign))

    cdef bint begins(self, const char **at, const char *tag, Py_ssize_t size, Py_ssize_t key) except -1:
        if self.depth == DEEPEST - 1:
            return False
        self.depth += 1
        self.tags[self.depth], self.sizes[self.depth], self.numbers[self.depth] = tag, size, key
        self.holders.append([] if self.keys.kinds[key] == LIST else None)
        at[0] = tag + size + 1
        return True

    cdef bint ends(self, const char **at, const char *end) except -1:
        cdef Py_ssize_t size, key = self.numbers[self.depth]
        cdef const char *tag = self.tags[self.depth]
        if self.depth == 0:
            return False
        size = self.sizes[self.depth]
        at[0] += 2
        if end - at[0] < size + 1 or memcmp(at[0], tag, size) != 0 or at[0][size] != c">":
            return False
        at[0] += size + 1
        held = self.holders.pop()
        self.depth -= 1
        cdef bint is_item = size == 4 and memcmp(tag, b"Item", 4) == 0
        if held is None:  # a group with nothing in it
            if is_item or self.keys.kinds[key] == TEXT:
                return False
            held = []
        return self.add_item(held) if is_item or self.is_one_of(tag, size) else self.add(key, held)

    cdef bint is_one_of(self, const char *tag, Py_ssize_t size) noexcept:
        """Whether an element is one of those that the element around it is named for: Plan in Plans."""
        return (
            self.depth > 0 and self.sizes[self.depth] == size + 1 and self.tags[self.depth][size] == c"s"
            and memcmp(self.tags[self.depth], tag, size) == 0
        )

    cdef bint add_item(self, object value) except -1:
        if self.depth == 0:
            return False
        if self.holders[-1] is None:
            self.holders[-1] = []
        if type(self.holders[-1]) is not list:
            return False
        (<list>self.holders[-1]).append(value)
        return value is not None

    cdef bint add(self, Py_ssize_t key, object value) except -1:
        """Put a value into the innermost element; False where it is a list, or has that key."""
        if self.holders[-1] is None:
            self.holders[-1] = {}
        holder = self.holders[-1]
        name = self.keys.keys[key]
        return type(holder) is dict and value is not None and put(<dict>holder, name, value)

    cdef object value(self, Py_ssize_t key, const char *begin, const char *end):
        if self.keys.kinds[key] == TEXT:
            return self.text(begin, end)
        read = figure(begin, end)
        if read is not None:
            return read
        if end - begin == 4 and memcmp(begin, b"true", 4) == 0:
            return True
        if end - begin == 5 and memcmp(begin, b"false", 5) == 0:
            return False
        text = self.text(begin, end)
        return None if text is None else self.slow(text)

    cdef str text(self, const char *begin, const char *end):
        """A text with its five entities put back; None where it has another, or what could be of a client's marks."""
        cdef const char *sign = begin
        cdef bint special = False
        for at in range(end - begin):
            special |= (begin[at] == c"&") | (begin[at] == c'"') | (begin[at] == c"]")
        cdef str text = text_of(begin, end)
        if not special:
            return text
        if '""' in text or "]]>" in text or "&quot;Plan" in text or "&lt;explain" in text:
            return None
        while True:
            sign = <const char *>memchr(sign, c"&", end - sign)
            if sign is NULL:
                break
            if not (
                says(&sign, end, b"&lt;") or says(&sign, end, b"&gt;") or says(&sign, end, b"&amp;")
                or says(&sign, end, b"&quot;") or says(&sign, end, b"&apos;")
            ):
                return None
        for entity, stands_for in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
            text = text.replace(entity, stands_for)
        return text
