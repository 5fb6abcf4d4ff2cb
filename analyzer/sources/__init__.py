"""Where facts come from: log files, application logs, saved counters, plans, schemas, servers.

The rooms here know formats and servers and judge nothing. `inputs.gather` reads what the user
names; `postgres` asks a live server.
"""
