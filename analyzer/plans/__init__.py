"""EXPLAIN output of any origin, read into plan trees with the figures of every node.

`reader.read_plans` is the way in. One file per format turns text into *documents* (dictionaries
with the keys of EXPLAIN (FORMAT JSON)); `document` makes trees of them; `figures` the times.
"""

from analyzer.plans.reader import PartlyUnreadError, read_plans

__all__ = ["PartlyUnreadError", "read_plans"]
