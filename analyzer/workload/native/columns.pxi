# How the modules of this folder take columns. They include it, so that each stays a module of its own.

cdef const long long[::1] longs(values):
    return np.ascontiguousarray(values, dtype=np.int64)


cdef const int[::1] ints(values):
    return np.ascontiguousarray(values, dtype=np.int32)


cdef const signed char[::1] small(values):
    return np.ascontiguousarray(values, dtype=np.int8)


cdef const unsigned char[::1] flags(values):
    return np.ascontiguousarray(values, dtype=bool).view(np.uint8)


cdef const double[::1] doubles(values):
    return np.ascontiguousarray(values, dtype=np.float64)


cdef void alike(Py_ssize_t size, columns) except *:
    """Refuse columns that have not all `size` rows."""
    for column in columns:
        if len(column) != size:
            raise ValueError("columns of different lengths")


cdef void within(numbers, long long least, long long most) except *:
    """Refuse numbers (an array) that have no place from `least` up to and without `most`."""
    if len(numbers) and not (numbers.min() >= least and numbers.max() < most):
        raise ValueError("numbers, of rows or groups, that have no place")
