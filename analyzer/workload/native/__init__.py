"""Native twins of the passes over a slice's rows (analyzer/native.py).

`_units` and `_open` are those of requests.py (units of work, and which of them may go on), `_figures` of figures.py,
traffic.py and kept.py, `_learning` of openers.py and spread.py, `_savings` of savings.py.
"""
