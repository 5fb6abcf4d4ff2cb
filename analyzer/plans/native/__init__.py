"""Native twins of what reading plans spends most of its time on (analyzer/native.py).

`_nodes` makes nodes of a document (fields.py, figures.py), `_lines` a document of a plan in TEXT format that is as
PostgreSQL writes it (text_ordinary.py). What they do not know they decline, a plan at a time.
"""
