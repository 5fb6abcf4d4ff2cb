"""Everything that reads SQL text: the only room that imports a SQL parser."""
