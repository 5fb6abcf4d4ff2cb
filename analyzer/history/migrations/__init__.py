"""The steps from an empty store to the present one, run by Alembic.

A change of a table is a new file in `versions/` and its revision here, last; steps that were
released are never changed. Whoever finds a revision in a store that is not here knows that the
store is newer.
"""

REVISIONS = ("0001", "0002", "0003", "0004")
