"""What to put into the program: cache-aside with the time to live, and where to empty it."""

from collections.abc import Sequence

from analyzer.model.cache import CacheCandidate

_TYPESCRIPT = """\
// Cache-aside: ask Redis first, fill it on a miss, for {ttl} s.
const key = `{prefix}:${{JSON.stringify(parameters)}}`;
const known = await redis.get(key);
const rows = known !== null ? JSON.parse(known) : await load(parameters); // the query below
if (known === null) await redis.set(key, JSON.stringify(rows), {{ EX: {ttl} }});
"""
_PYTHON = """\
# Cache-aside: ask Redis first, fill it on a miss, for {ttl} s.
key = "{prefix}:" + json.dumps(parameters)
known = redis.get(key)
rows = json.loads(known) if known is not None else load(parameters)  # the query below
if known is None:
    redis.set(key, json.dumps(rows, default=str), ex={ttl})
"""
_EMPTY_TYPESCRIPT = """\
// After each write to {tables} (in the same place as the write, once it is committed):
for await (const keys of redis.scanIterator({{ MATCH: '{prefix}:*' }})) await redis.unlink(keys);
// Where the write knows which parameters it touches: await redis.unlink(`{prefix}:${{JSON.stringify(parameters)}}`);
"""
_EMPTY_PYTHON = """\
# After each write to {tables} (in the same place as the write, once it is committed):
for key in redis.scan_iter("{prefix}:*"):
    redis.unlink(key)
# Where the write knows which parameters it touches: redis.unlink("{prefix}:" + json.dumps(parameters))
"""
_LANGUAGES = {"django": "python", "sqlalchemy": "python"}


def code_for(
    candidate: CacheCandidate, sql: str, tables: Sequence[str], stack: str | None
) -> tuple[str, str]:
    """The language and the code for a candidate.

    Args:
        candidate: what to cache.
        sql: the normalised statement, for a comment.
        tables: those it reads.
        stack: the stack that sent it, as advice names it; None where it is not known.
    """
    language = _LANGUAGES.get(stack or "", "typescript")
    python = language == "python"
    names = {
        "ttl": candidate.chosen.ttl_s,
        "prefix": f"q:{candidate.shape_id}",
        "tables": ", ".join(tables),
    }
    parts = [(_PYTHON if python else _TYPESCRIPT).format(**names)]
    if candidate.invalidate:
        parts.append((_EMPTY_PYTHON if python else _EMPTY_TYPESCRIPT).format(**names))
    mark = "#" if python else "//"
    parts.append("".join(f"{mark} {line}\n" for line in sql.splitlines() or [""]))
    return language, "\n".join(parts)
