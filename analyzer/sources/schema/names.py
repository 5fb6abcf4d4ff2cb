"""The names that PostgreSQL gives what was given none."""

MAX_NAME_BYTES = 63


def object_name(first: str, second: str, label: str) -> str:
    """The name that PostgreSQL gives an object: `first_second_label`, cut to 63 bytes.

    The longer of the first two parts is cut first (makeObjectName in src/backend/commands/
    indexcmds.c); bytes that would be half a character are left out.
    """
    long, other = first.encode(), second.encode()
    room = MAX_NAME_BYTES - len(label.encode()) - 1 - bool(second)
    while len(long) + len(other) > room:
        if len(long) > len(other):
            long = long[:-1]
        else:
            other = other[:-1]
    parts = (long.decode(errors="ignore"), other.decode(errors="ignore"), label)
    return "_".join(part for part in parts if part)
