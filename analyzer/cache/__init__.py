"""A cache in front of the database: how well one does, and which statements one would serve.

`measure` judges a hit rate by the best source there is, `simulation` replays a log's executions
against caches of several times to live, `candidates` chooses, `code` writes what to put into the program.
"""
