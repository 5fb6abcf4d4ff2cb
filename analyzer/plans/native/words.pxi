# Figures and words in the text of a plan, for the modules beside this file.

from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.string cimport memcmp, strlen

cdef extern from *:
    """
    static const double plans_tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    """
    const double *plans_tens

# So many digits fit into 63 bits, and so many a double holds exactly, as it does the power of ten below them:
# one division of the two then gives the double that is nearest to the decimal number.
DEF WHOLE_DIGITS = 18
DEF EXACT_DIGITS = 15


cdef struct Figure:
    long long whole  # all its digits
    int digits  # how many stand behind the point


cdef inline bint number(const char **at, const char *end, Figure *figure) noexcept:
    """Read a number at a place and go on behind it; False where there is none, or it is too long."""
    cdef const char *sign = at[0]
    cdef const char *begin = sign
    figure.whole = figure.digits = 0
    while sign < end and c"0" <= sign[0] <= c"9" and sign - begin <= WHOLE_DIGITS:
        figure.whole = figure.whole * 10 + (sign[0] - c"0")
        sign += 1
    if sign == begin or sign - begin > WHOLE_DIGITS:
        return False
    if end - sign > 1 and sign[0] == c"." and c"0" <= sign[1] <= c"9":
        sign += 1
        while sign < end and c"0" <= sign[0] <= c"9":
            if sign - begin > EXACT_DIGITS:  # the point is no digit
                return False
            figure.whole = figure.whole * 10 + (sign[0] - c"0")
            figure.digits += 1
            sign += 1
    at[0] = sign
    return True


cdef inline double decimal(Figure *figure) noexcept:
    return <double>figure.whole / plans_tens[figure.digits]


cdef inline bint says(const char **at, const char *end, const char *word) noexcept:
    """Whether that stands at a place; then go on behind it."""
    cdef size_t size = strlen(word)
    if <size_t>(end - at[0]) < size or memcmp(at[0], word, size) != 0:
        return False
    at[0] += size
    return True


cdef inline str text_of(const char *begin, const char *end):
    return PyUnicode_DecodeASCII(begin, end - begin, NULL)
