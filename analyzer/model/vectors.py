"""What pgvector's README says of its indexes: the most dimensions, and how many lists."""

import math

MOST_DIMENSIONS = {"vector": 2_000, "halfvec": 4_000, "bit": 64_000}
_MANY_ROWS = 1_000_000


def lists_for(rows: float) -> int:
    """How many lists an ivfflat index should have: one for each 1,000 rows, of more than a million their square root."""
    return max(1, round(rows / 1000 if rows <= _MANY_ROWS else math.sqrt(rows)))
