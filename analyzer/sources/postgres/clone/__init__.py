"""A throwaway PostgreSQL with a database's schema and statistics, and none of its rows.

What a planner knows of a table is its size and its statistics. A server that has both plans as the
real one does, and can be asked what it would do with other indexes, without any access to the real one.
Nothing is ever executed on it. It takes PostgreSQL 18, the first that can restore statistics.
"""

from analyzer.sources.postgres.clone.what_if import CloneWhatIf, open_clone

__all__ = ["CloneWhatIf", "open_clone"]
