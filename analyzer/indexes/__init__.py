"""Indexes worth having: candidates by rule from what plans and the catalog show.

`candidates` answers for one scan, `foreign_keys` for keys that nothing supports; `existing` keeps
both from repeating what is there, `sizes` estimates and `naming` writes the statement.
"""
