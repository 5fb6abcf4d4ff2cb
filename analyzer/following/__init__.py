"""Logs followed while they are written: what each burst shows is told when it ends.

`watch.py` sees files grow, rotate and go; `follower.py` has the pipeline read what is new of them, by the
positions that the nightly job goes on from too, and keeps what was told.
"""
