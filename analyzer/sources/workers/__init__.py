"""Worker processes that read logs while the process that started them analyses (`--workers`).

A worker reads an input, or a part of one, with a recording of its own, and hands on what a reader
in this process would have: chunks of executions, and the texts that they speak of. Those are given
their numbers when a chunk is asked for, in the order of the input, so a run has the same result
with any number of workers.

    side_by_side.py which processes a run has
    parts.py     what a worker is asked to read
    pool.py      starts the processes, and gives each stream its chunks from them
    child.py     the process
    told_plans.py which plans it hands on
    claims.py    who reads what: each part is one process's
    ring.py      the memory that a worker and its parent share
    packing.py   executions and texts as bytes; numbers of one recording as those of another
    process.py   how a process is begun, and how it ends
    observing.py a process that is shown slices, to search them for loops; slice_packing.py has those as bytes
"""
