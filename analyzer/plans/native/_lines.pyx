# cython: language_level=3
"""The lines of a plan in TEXT format as PostgreSQL writes it, into its document: the twin of text_ordinary.py.

Everything that needs an expression or is rare it asks of the Python beside it (`Words`); a text with anything that
it does not know it declines, by giving None.
"""

from libc.string cimport memchr, memcmp

cdef extern from "<string.h>":
    const void *memmem(const void *, size_t, const void *, size_t)

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object)
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL

include "words.pxi"

DEF LONGEST_NAME = 1000
DEF LONGEST_KEY = 100


cdef class Words:
    """What the Python beside it knows: see analyzer/plans/text_ordinary.py, which fills it in.

    `described` gives the keys that the name of a node stands for, `kinds` says of the key of a detail how its value is
    read (1: text, 2: list, 3: buffers, 4: by `add_detail`); one that is not there is a scalar. `blocks` are the names of
    block counters by scope and word. `is_key` says whether a word may be a detail's key, `is_label` whether a line names
    a subplan, `add_beside` puts a line beside the tree into the document and gives the section that it opens.
    `last` are the characters with which no line of a bare plan ends.
    """

    cdef object described, items, scalar, add_detail, add_beside, is_key, is_label
    cdef dict kinds, blocks, children
    cdef set questions
    cdef bytes last

    def __init__(
        self, *, described, items, scalar, add_detail, add_beside, is_key, is_label, kinds, blocks, children,
        questions, last,
    ):
        self.described, self.items, self.scalar = described, items, scalar
        self.add_detail, self.add_beside = add_detail, add_beside
        self.is_key, self.is_label = is_key, is_label
        self.kinds, self.blocks, self.children = kinds, blocks, children
        self.questions, self.last = questions, last

    def document(self, str text, dict before):
        """The document of the plan that a text is, beside what was said `before`; None: declined."""
        cdef Py_ssize_t size
        if not PyUnicode_IS_COMPACT_ASCII(text):
            return None
        cdef const char *begin = PyUnicode_AsUTF8AndSize(text, &size)
        if memchr(begin, c"`", size) or memmem(begin, size, b"<t", 2) or memmem(begin, size, b"QUERY PLAN", 10):
            return None  # it may be dressed
        cdef Reading reading = Reading.__new__(Reading)
        reading.words, reading.document = self, before.copy()
        reading.stack, reading.columns, reading.childless, reading.sections = [], [], [], []
        return reading.document if reading.take_all(begin, begin + size) else None


cdef class Reading:
    """A plan while it is read; the fields are those of `Block` (text_block.py)."""

    cdef Words words
    cdef dict document
    # Nodes that lines may still belong to, where their arrows stand, whether only subplans came below them; and the
    # sections that deeper lines belong to.
    cdef list stack, columns, childless, sections
    cdef Py_ssize_t root_column, label_column
    cdef str label, last
    cdef bint analyzed, figured, ended

    cdef bint take_all(self, const char *at, const char *end) except -1:
        cdef const char *line_end
        self.last, self.figured = "", True
        while at < end:
            line_end = <const char *>memchr(at, c"\n", end - at)
            if line_end is NULL:
                line_end = end
            if not self.take(at, line_end):
                return False
            at = line_end + 1
        if self.label is not None or (self.analyzed and not self.figured):
            return False
        return not self.last.endswith(",") and self.last.count("(") == self.last.count(")")

    cdef bint take(self, const char *begin, const char *end) except -1:
        """One line; False where it is not ordinary."""
        cdef const char *at = begin
        cdef const char *sign
        while at < end and at[0] == c" ":
            at += 1
        if at == end:
            return at == begin
        cdef Py_ssize_t column = at - begin
        if end - at > 4 and memcmp(at, b"->  ", 4) == 0:
            return self.take_node(column, at + 4, end, True)
        if not c"A" <= at[0] <= c"Z":
            return False
        sign = at
        while sign < end and sign[0] != c":" and sign[0] != c"(":
            if sign[0] < c" ":
                return False
            sign += 1
        if sign < end and sign[0] == c"(":
            if self.words.is_label(text_of(at, end)):
                return self.take_label(column, at, end)
            return self.take_node(column, at, end, False)
        if sign == end:
            return self.words.is_label(text_of(at, end)) and self.take_label(column, at, end)
        return self.take_detail(column, at, sign, end)

    cdef bint take_label(self, Py_ssize_t column, const char *begin, const char *end) except -1:
        """The name of a subplan, whose node comes next and deeper."""
        if not self.stack:
            return False
        self.close(column)
        self.label, self.label_column = text_of(begin, end), column
        self.sections.clear()
        return True

    # --- nodes

    cdef bint take_node(self, Py_ssize_t column, const char *begin, const char *end, bint arrow) except -1:
        cdef const char *sign = <const char *>memchr(begin, c"(", end - begin)
        cdef const char *name_end
        if sign is NULL or sign - begin > LONGEST_NAME or not c"A" <= begin[0] <= c"Z":
            return False
        if memchr(begin, c":", sign - begin) is not NULL:
            return False
        name_end = sign
        while name_end > begin and name_end[-1] == c" ":
            name_end -= 1
        for at in range(name_end - begin):
            if begin[at] < c" ":
                return False
        cdef dict keys = (<dict>self.words.described(text_of(begin, name_end))).copy()
        if not self.add_figures(keys, sign, end):
            return False
        self.last, self.figured = "", "Actual Loops" in keys
        if arrow and self.stack and column > self.root_column:
            return self.add_node(column, keys)
        if arrow or self.stack:
            return False
        self.document["Plan"] = keys
        self.root_column = column
        self.open(column, keys)
        self.analyzed = self.figured
        return True

    cdef bint add_node(self, Py_ssize_t column, dict keys) except -1:
        """A node below the root, whose arrow is in that column."""
        cdef dict above
        self.close(column)
        above = <dict>self.stack[-1]
        if self.label is not None and column > self.label_column:
            keys["Parent Relationship"] = "SubPlan" if self.label.startswith("Sub") else "InitPlan"
            keys["Subplan Name"] = self.label
        else:
            relationship = self.relationship(above)
            if relationship is None:
                return False
            keys["Parent Relationship"] = relationship
            self.childless[-1] = False
        self.label = None
        self.sections.clear()
        below = above.get("Plans")
        if below is None:
            above["Plans"] = [keys]
        elif type(below) is list:
            (<list>below).append(keys)
        else:
            return False
        self.open(column, keys)
        return True

    cdef object open(self, Py_ssize_t column, dict keys):
        self.stack.append(keys)
        self.columns.append(column)
        self.childless.append(True)

    cdef object close(self, Py_ssize_t column):
        """Nodes that are as deep get no more lines."""
        while len(self.stack) > 1 and <Py_ssize_t>self.columns[-1] >= column:
            self.stack.pop()
            self.columns.pop()
            self.childless.pop()

    cdef object relationship(self, dict above):
        """How a child that is no subplan belongs to the node above; None where the Python has to look closer."""
        cdef object kind = above["Node Type"]
        if kind == "ModifyTable":
            if "Plans" in above:
                return None
            if above.get("Actual Rows") != 0 or above.get("Plan Width", 0) == 0:
                return "Outer"
            return "Member"
        named = self.words.children.get(kind)
        if named is not None:
            return named
        return "Outer" if self.childless[-1] else "Inner"

    cdef bint add_figures(self, dict keys, const char *at, const char *end) except -1:
        """`(cost=0.00..1.00 rows=1 width=4) (actual time=0.1..0.2 rows=1 loops=1)` and nothing else."""
        cdef Figure one, two, rows, last
        cdef bint timed = False
        at += 1
        if says(&at, end, b"cost="):
            if not (
                number(&at, end, &one) and one.digits and says(&at, end, b"..") and number(&at, end, &two)
                and two.digits and says(&at, end, b" rows=") and number(&at, end, &rows) and not rows.digits
                and says(&at, end, b" width=") and number(&at, end, &last) and not last.digits
            ):
                return False
            keys["Startup Cost"], keys["Total Cost"] = decimal(&one), decimal(&two)
            keys["Plan Rows"], keys["Plan Width"] = rows.whole, last.whole
            if not says(&at, end, b") ("):
                return says(&at, end, b")") and at == end
        if says(&at, end, b"never executed)"):
            keys["Actual Rows"] = keys["Actual Loops"] = 0
            return at == end
        if not says(&at, end, b"actual "):
            return False
        if says(&at, end, b"time="):
            if not (
                number(&at, end, &one) and one.digits and says(&at, end, b"..") and number(&at, end, &two)
                and two.digits and says(&at, end, b" ")
            ):
                return False
            timed = True
        if not (
            says(&at, end, b"rows=") and number(&at, end, &rows) and says(&at, end, b" loops=")
            and number(&at, end, &last) and not last.digits and says(&at, end, b")")
        ):
            return False
        if timed:
            keys["Actual Startup Time"], keys["Actual Total Time"] = decimal(&one), decimal(&two)
        keys["Actual Rows"] = decimal(&rows) if rows.digits else rows.whole
        keys["Actual Loops"] = last.whole
        return at == end

    # --- details

    cdef bint take_detail(self, Py_ssize_t column, const char *begin, const char *colon, const char *end) except -1:
        """A line `key: value`; False where it could be something else, or the next line be a part of it."""
        cdef const char *sign
        cdef Py_ssize_t single = 0, double_ = 0
        cdef str key
        if colon - begin > LONGEST_KEY or not self.stack:
            return False
        for place in range(colon - begin):
            if not is_word(begin[place]):
                return False
        sign = colon + 1
        if sign < end:
            if sign[0] != c" " or end[-1] in (c" ", c":") or memchr(<const char *>self.words.last, end[-1], len(self.words.last)) is not NULL:
                return False
            while sign[0] == c" ":
                sign += 1
            for place in range(end - sign):
                if sign[place] < c" ":
                    return False
                single += sign[place] == c"'"
                double_ += sign[place] == c'"'
            if (single and double_) or single % 2 or double_ % 2:
                return False
        key = text_of(begin, colon)
        self.last = text_of(sign, end)
        kind = self.words.kinds.get(key)
        if kind is not None and not self.sections and column > self.root_column + 1:
            return self.add(<dict>self.stack[-1], key, kind, sign, end)
        if key in self.words.questions or not self.words.is_key(key):
            return False
        return self.add_other(column, key, begin, sign, end)

    cdef bint add_other(
        self, Py_ssize_t column, str key, const char *begin, const char *value, const char *end
    ) except -1:
        """A detail whose key alone does not tell what it belongs to."""
        while self.sections and <Py_ssize_t>(<tuple>self.sections[-1])[0] >= column:
            self.sections.pop()
        if key.startswith("JIT") or (key.startswith("Worker ") and key[7:].isdigit()):
            return False
        if self.sections:
            return self.add(<dict>(<tuple>self.sections[-1])[1], key, self.words.kinds.get(key), value, end)
        if column > self.root_column + 1:
            return self.add(<dict>self.stack[-1], key, self.words.kinds.get(key), value, end)
        if self.ended and key in self.document:
            return True
        section = self.words.add_beside(self.document, key, self.last, text_of(begin, end))
        self.ended = self.ended or "Execution Time" in self.document
        if section is not None:
            self.sections.append((column, section))
        return True

    cdef bint add(self, dict keys, str key, object kind, const char *value, const char *end) except -1:
        """Put what a detail says into keys."""
        cdef Figure figure
        cdef const char *at = value
        if kind is None:
            if number(&at, end, &figure) and at == end:
                keys[key] = decimal(&figure) if figure.digits else figure.whole
            else:
                keys[key] = self.words.scalar(self.last)
        elif kind == 1:
            keys[key] = self.last
        elif kind == 2:
            keys[key] = self.words.items(self.last)
        elif kind == 4 or not self.add_buffers(keys, value, end):
            self.words.add_detail(keys, key, self.last)
        return True

    cdef bint add_buffers(self, dict keys, const char *at, const char *end) except -1:
        """`shared hit=12 read=3, temp read=4`; False where a word is unusual."""
        cdef dict found = {}
        cdef dict names = <dict>self.words.blocks["shared"]
        cdef const char *word_end
        cdef Figure figure
        while at < end:
            word_end = at
            while word_end < end and c"a" <= word_end[0] <= c"z":
                word_end += 1
            word = text_of(at, word_end)
            at = word_end
            if at < end and at[0] == c"=":
                at += 1
                name = names.get(word)
                word_end = at
                if name is None or not number(&at, end, &figure) or figure.digits or at - word_end > EXACT_DIGITS:
                    return False
                found[name] = figure.whole
                says(&at, end, b",")
            else:
                names = <dict>self.words.blocks.get(word)
                if names is None:
                    return False
            if at < end and not says(&at, end, b" "):
                return False
        keys.update(found)
        return True


cdef bint is_word(char sign) noexcept:
    """Whether it may stand in the key of a detail."""
    return c"a" <= sign <= c"z" or c"A" <= sign <= c"Z" or c"0" <= sign <= c"9" or sign in (c" ", c"_", c"/", c"-")
