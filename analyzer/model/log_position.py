"""How far a log was read: what a nightly run remembers so that the next one goes on from there."""

from analyzer.records import record


@record
class LogPosition:
    """One log file's content, told by how it begins, and how many of its bytes are accounted for.

    A file that is renamed, copied or compressed by rotation keeps its content and so its position.
    `id` is unique and stays; `log` is the name of its `[[logs]]` section and `path` where it was met last. `head_hash` is the
    SHA-256 (hex) of its first `head_bytes` bytes and `tail_hash` that of the last ones before
    `offset` ("": not known), all of them uncompressed. `device`, `inode`, `size_bytes` (on disk) and
    `modified_ns` (since 1970) are the file's when it was read; `is_finished` tells that it was read
    to its end then. `pending` sessions had logged a statement whose duration was still to come.
    `seen_us` is when the file was there last (µs since 1970, UTC).
    """

    id: str
    log: str
    path: str
    head_hash: str
    head_bytes: int
    offset: int
    tail_hash: str
    device: int
    inode: int
    size_bytes: int
    modified_ns: int
    is_finished: bool
    pending: int
    seen_us: int
