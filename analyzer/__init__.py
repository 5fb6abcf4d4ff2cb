"""pg95: query performance analysis and N+1 detection for PostgreSQL."""

__version__ = "0.1.0"
