"""A writer in a process of its own: `writer.py STORE NIGHTS` adds an execution and moves on, each night.

With `forever` for NIGHTS it goes on until it is killed, and says on stdout when it has begun.
"""

import itertools
import sys

import numpy as np
from kept import hour, named

from analyzer.history import open_store


def main() -> None:
    where, nights = sys.argv[1:]
    numbers = itertools.count() if nights == "forever" else range(int(nights))
    with open_store(where) as store:
        for number in numbers:
            with store.transaction() as night:
                read = night.positions("logs").get("log", 0)
                rows = [hour(0, np.array([5.0]), named(f"s{n}")) for n in range(20)]
                night.add_hours([*rows, hour(0, np.array([5.0]))])
                night.set_positions("logs", {"log": read + 1})
            if number == 0:
                print("begun", flush=True)  # noqa: T201 - the test waits for it


if __name__ == "__main__":
    main()
