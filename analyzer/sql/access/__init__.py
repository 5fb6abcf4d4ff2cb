"""Statements resolved against a catalog: whose column each one is, and what an index could do.

`statement_access` is the way in. `scopes` knows names, `queries` walks queries, `comparisons` reads
conditions.
"""

from analyzer.sql.access.queries import statement_access

__all__ = ["statement_access"]
