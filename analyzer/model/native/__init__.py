"""Native twins of the small tools for columns (analyzer/native.py): `_columns` is that of columns.py."""
