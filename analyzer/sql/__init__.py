"""Everything that reads SQL text: the only room that imports pglast and sqlglot."""
