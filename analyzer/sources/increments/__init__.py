"""Logs read bit by bit: what is new in them since the last time, and not a byte of it twice.

`contents.py` finds which files hold what was not read yet, whatever rotation did to them;
`endings.py` where reading has to stop in a file that is being written; `portion.py` reads one.
"""
