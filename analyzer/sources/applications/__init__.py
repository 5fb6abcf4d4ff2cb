"""Query logs that applications write: one file per framework."""
