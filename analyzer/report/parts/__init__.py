"""The parts of report.json, one module per key: facts in, plain JSON values out."""
