# cython: language_level=3, cdivision=True
"""Nodes of a plan out of its document: the twin of fields.py, and of figures.py where it has no InitPlan.

It knows no names of fields: places and kinds are those of `Layout`, which fields.py and document.py fill in.
What is unusual it declines, by giving None: the Python then reads that plan, or says what is wrong.
"""

from cpython.bool cimport PyBool_Check
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.dict cimport PyDict_GetItem, PyDict_Next
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport PyUnicode_CheckExact
from libc.math cimport isfinite, rint

cdef extern from "<float.h>":
    const double DBL_MAX

cdef extern from *:
    """
    #include "structmember.h"

    /* Where a slot of a class stands in its objects, -1 if that is no slot. */
    static Py_ssize_t plans_slot_offset(PyObject *slot) {
        if (!PyObject_TypeCheck(slot, &PyMemberDescr_Type)) return -1;
        PyMemberDef *member = ((PyMemberDescrObject *)slot)->d_member;
        return member->type == T_OBJECT_EX ? member->offset : -1;
    }
    /* Of a new object, whose slots hold nothing. */
    static void plans_fill_slot(PyObject *made, Py_ssize_t offset, PyObject *value) {
        *(PyObject **)((char *)made + offset) = value;
    }
    """
    Py_ssize_t plans_slot_offset(object)
    void fill_slot "plans_fill_slot"(PyObject *, Py_ssize_t, PyObject *)

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int *) except? -1


DEF MOST_FIELDS = 64


cdef struct Times:  # of one node
    int parent
    double shared, loops, total_ms, budget_ms, claimed_ms
    bint gathers


cdef class Layout:
    """Where in a row each field stands, and what belongs there (see analyzer/plans/fields.py).

    `places` are those of the keys of FORMAT JSON. A row has texts from `first_text` on, floats from
    `first_number` and counts from `first_count`. `fields` are the places
    of the fields that the code here looks at; `texts` and `numbers` those that a plan's key is made of.
    """

    cdef dict places
    cdef list nothing
    cdef object made  # the class of the nodes
    cdef Py_ssize_t[MOST_FIELDS] offsets  # of its slots, by their places in a row
    cdef int first_text, first_number, first_count, fraction_digits, max_depth
    cdef int children, sort_key, parallel, type, relationship, relation, loops, rows, actual_ms, launched
    cdef int id, parent, extra, digits, never, processes, total_ms, self_ms, payers
    cdef tuple texts, numbers

    def __init__(
        self, *, places, nothing, made, fields, first_text, first_number, first_count,
        fraction_digits, max_depth, texts, numbers,
    ):
        self.places, self.nothing, self.made = places, nothing, made
        if len(nothing) > MOST_FIELDS:
            raise ValueError("more fields than there is room for")
        for name, place in fields.items():
            self.offsets[place] = plans_slot_offset(getattr(made, name))
            if self.offsets[place] < 0:
                raise TypeError(f"{name} is no slot")
        self.first_text, self.first_number = first_text, first_number
        self.first_count, self.fraction_digits, self.max_depth = first_count, fraction_digits, max_depth
        self.texts, self.numbers = texts, numbers
        self.children, self.sort_key = fields["children"], fields["sort_key"]
        self.parallel, self.type = fields["parallel_aware"], fields["type"]
        self.relationship, self.relation = fields["parent_relationship"], fields["relation"]
        self.loops, self.rows = fields["loops"], fields["rows_actual"]
        self.actual_ms, self.launched = fields["actual_total_ms"], fields["workers_launched"]
        self.id, self.parent, self.extra = fields["id"], fields["parent"], fields["extra"]
        self.digits, self.never = fields["rows_digits"], fields["never_executed"]
        self.processes, self.total_ms = fields["processes"], fields["total_ms"]
        self.self_ms, self.payers = fields["self_ms"], fields["payers"]

    def tree(self, root):
        """(nodes depth first, whether their times are filled in, texts and numbers of the key); None: declined."""
        cdef list rows = [], waiting = [(root, -1, 1)]
        cdef list row, below
        cdef tuple next_one
        cdef int parent, depth
        cdef bint initial = False
        while waiting:
            next_one = waiting.pop()
            parent, depth = next_one[1], next_one[2]
            if type(next_one[0]) is not dict or depth > self.max_depth:
                return None
            row = self.row_of(<dict>next_one[0])
            if row is None or row[self.type] is None:
                return None
            row[self.id] = len(rows)
            below = row[self.children] if type(row[self.children]) is list else []
            row[self.children] = []
            if parent >= 0:
                row[self.parent] = parent
                (<list>(<list>rows[parent])[self.children]).append(len(rows))
                initial = initial or row[self.relationship] == "InitPlan"
            for child in reversed(below):
                waiting.append((child, len(rows), depth + 1))
            rows.append(row)
        if not initial and not self.fill_in(rows):
            return None
        texts, numbers = self.key_parts(rows)
        return self.nodes_of(rows), not initial, texts, numbers

    cdef list row_of(self, dict keys):
        """The fields of a node, None where a value is not what belongs there."""
        cdef list row = self.nothing[:]
        cdef dict extra = {}
        cdef PyObject *key
        cdef PyObject *value
        cdef PyObject *found
        cdef Py_ssize_t at = 0
        cdef int place, over
        cdef long long whole
        cdef object one
        while PyDict_Next(keys, &at, &key, &value):
            one = <object>value
            found = PyDict_GetItem(self.places, <object>key)
            if found is NULL:
                extra[<object>key] = one
                continue
            place = <object>found
            if one is None:
                continue
            if place >= self.first_number:
                if PyFloat_CheckExact(one):
                    if place >= self.first_count or not 0.0 <= PyFloat_AS_DOUBLE(one) <= DBL_MAX:
                        return None
                elif PyLong_CheckExact(one):
                    over = 0
                    whole = PyLong_AsLongLongAndOverflow(one, &over)
                    if over or whole < 0:
                        return None
                    if place < self.first_count:
                        one = <double>whole
                else:
                    return None
            elif place >= self.first_text:
                if not PyUnicode_CheckExact(one):
                    return None
            elif place == self.parallel:
                if not PyBool_Check(one):
                    return None
            elif not PyList_CheckExact(one):
                return None
            row[place] = one
        row[self.extra] = extra
        return self.completed(row, keys, extra)

    cdef list completed(self, list row, dict keys, dict extra):
        """With the fields that are made of a part of a key, or of more than one."""
        if <double>row[self.loops] == 0:
            row[self.never] = True
        if type(keys.get("Actual Rows")) is float:
            row[self.digits] = self.fraction_digits
        if row[self.sort_key]:
            row[self.sort_key] = tuple([str(one) for one in row[self.sort_key]])
        schema = extra.pop("Schema", None)
        if schema is not None and schema != "public" and row[self.relation] is not None:
            if type(schema) is not str:
                return None
            row[self.relation] = f"{schema}.{row[self.relation]}"
        return row

    cdef bint fill_in(self, list rows) except -1:
        """Times, processes and payers, where every node is run by its parent; False where times are beyond all bounds."""
        cdef int count = len(rows), number
        cdef Times *times = <Times *>PyMem_Malloc(count * sizeof(Times))
        cdef bint timed = (<list>rows[0])[self.actual_ms] is not None
        if times is NULL:
            raise MemoryError
        try:
            for number in range(count):
                self.share(rows, times, number)
            for number in range(count):
                if not isfinite(times[number].total_ms) or not isfinite(times[number].claimed_ms):
                    return False
            for number in range(count):
                self.settle(<list>rows[number], times, number, timed)
            return True
        finally:
            PyMem_Free(times)

    cdef object share(self, list rows, Times *times, int number):
        """The elapsed time of a node, and how many processes share it; its parent's are known."""
        cdef list row = <list>rows[number]
        cdef Times *own = &times[number]
        cdef Times *above
        cdef double shared, whole_ms
        own.loops = row[self.loops]
        own.gathers = row[self.type] == "Gather" or row[self.type] == "Gather Merge"
        own.parent = -1 if number == 0 else row[self.parent]
        own.shared, own.claimed_ms = 1.0, 0.0
        if number > 0:
            above = &times[own.parent]
            own.shared = above.shared
            if above.gathers and row[self.relationship] != "SubPlan":
                own.shared = self.participants(<list>rows[own.parent], above.loops, row, own.loops)
            row[self.payers] = (row[self.parent],)
        row[self.processes] = max(1, <int>rint(own.shared))
        whole_ms = 0.0
        if row[self.actual_ms] is not None:
            whole_ms = <double>row[self.actual_ms] * own.loops
        shared = own.shared if own.shared < own.loops else own.loops
        own.total_ms = own.budget_ms = whole_ms / (shared if shared > 1.0 else 1.0)
        if number > 0:
            above.claimed_ms += own.total_ms

    cdef double participants(self, list gather, double gather_loops, list child, double child_loops):
        """Workers and leader that ran the nodes under a Gather (the leader may have been too busy)."""
        cdef double most = 1.0
        cdef double each
        if gather[self.launched] is not None:
            most += <double>gather[self.launched]
        if (<dict>gather[self.extra]).get("Single Copy") is True:
            most = 1.0
        if gather[self.rows] is None or child[self.rows] is None:
            return most
        if gather_loops and child_loops:
            each = child_loops / gather_loops
            each = each if each > 1.0 else 1.0
            return each if each < most else most
        return most

    cdef object settle(self, list row, Times *times, int number, bint timed):
        """A node's own time: what is left of it; where children claim more, they share in proportion."""
        cdef Times *own = &times[number]
        cdef double scale
        if own.claimed_ms > own.budget_ms:
            scale = own.budget_ms / own.claimed_ms
            for child in <list>row[self.children]:
                times[<int>child].budget_ms = times[<int>child].total_ms * scale
        if timed:
            row[self.total_ms] = own.total_ms
            row[self.self_ms] = own.budget_ms - own.claimed_ms if own.claimed_ms < own.budget_ms else 0.0

    cdef tuple key_parts(self, list rows):
        """The texts that a plan is known by, and its numbers as the machine has doubles, -1 for those that are not there."""
        cdef list texts = [], row
        cdef bytes packed = PyBytes_FromStringAndSize(NULL, len(rows) * len(self.numbers) * sizeof(double))
        cdef double *number = <double *>PyBytes_AS_STRING(packed)
        for row in rows:
            for place in self.texts:
                texts.append(row[<int>place] or "")
            for place in self.numbers:
                one = row[<int>place]
                number[0] = -1.0 if one is None else <double>one
                number += 1
        return texts, packed

    cdef list nodes_of(self, list rows):
        """The nodes: children are made before their parents."""
        cdef list nodes = [None] * len(rows)
        cdef list row
        cdef int number, place
        for number in range(len(rows) - 1, -1, -1):
            row = <list>rows[number]
            row[self.children] = tuple([nodes[<int>child] for child in <list>row[self.children]])
            one = self.made.__new__(self.made)
            for place in range(len(row)):
                value = row[place]
                Py_INCREF(value)
                fill_slot(<PyObject *>one, self.offsets[place], <PyObject *>value)
            nodes[number] = one
        return nodes


def has_key(value, str name, tuple above):
    """Whether an object has that key: the value itself, or what stands in lists and under the keys `above`."""
    return has(value, name, above)


cdef bint has(value, str name, tuple above) except -1:
    cdef PyObject *found
    if type(value) is list:  # orjson nests no deeper than the C stack allows
        for one in <list>value:
            if has(one, name, above):
                return True
    elif type(value) is dict:
        if PyDict_GetItem(value, name) is not NULL:
            return True
        for key in above:
            found = PyDict_GetItem(value, key)
            if found is not NULL and has(<object>found, name, above):
                return True
    return False
