"""What comments in statements tell: route, job or call (sqlcommenter, Marginalia, Rails, Prisma).

Ids of traces, requests and jobs are taken out of comments before they get here
(analyzer.sql.comments).
"""

from urllib.parse import unquote

from analyzer.model.names import plain_path
from analyzer.patterns import regex

_PAIR = regex(r"([A-Za-z_][\w.\-]*)\s*[=:]\s*(?:'([^'\\]*+(?:\\.[^'\\]*+)*)'|([^\s,'*]+))")
_ROUTE_TAGS = ("route", "url", "path", "endpoint", "http_route")
_JOB_TAGS = ("job", "job_name", "task", "task_name", "celery_task", "sidekiq_job", "worker")
_LONGEST = 300  # characters of a route that is kept
# Model.action, of raw SQL the action alone; what follows is what it was called with.
_CALL = regex(r"((?:[A-Za-z][A-Za-z0-9_]{0,99}\.)?[a-z][A-Za-z]{0,39})(?::|\Z)")


def read_route(comment: str) -> str | None:
    """Where a statement comes from in words of the application, None where its comments don't tell.

    A route (its path without values: no ids, no query) before a controller's action, a job, and the call of the ORM (Prisma's `prismaQuery`
    tag: "Project.findMany").
    """
    pairs = _pairs(comment)
    found_route = _route(pairs)
    return found_route[:_LONGEST] if found_route else None


def read_job(comment: str) -> tuple[str, str] | None:
    """The queue ("" where it is not told) and name of the job that a statement comes from, None of none.

    Only where `read_route` names the job, too.
    """
    pairs = _pairs(comment)
    return None if _request(pairs) else _job(pairs)


def read_call(comment: str) -> str | None:
    """The call of the ORM that a statement comes from, "Project.findMany", None where no tag tells.

    Of raw SQL "queryRaw". What it was called with is left out: it holds values.
    """
    if "prismaQuery" not in comment:
        return None
    found = _CALL.match(_pairs(comment).get("prismaquery", ""))
    return found[1] if found else None


def _pairs(comment: str) -> dict[str, str]:
    return {
        found[1].lower().replace("-", "_"): unquote(found[2] if found[2] is not None else found[3])
        for found in _PAIR.finditer(comment)
    }


def _request(pairs: dict[str, str]) -> str | None:
    for tag in _ROUTE_TAGS:
        if pairs.get(tag):
            return plain_path(pairs[tag])
    if pairs.get("controller") and pairs.get("action"):
        return f"{pairs['controller']}#{pairs['action']}"
    return None


def _job(pairs: dict[str, str]) -> tuple[str, str] | None:
    for tag in _JOB_TAGS:
        if pairs.get(tag):
            return pairs.get("queue", ""), pairs[tag]
    return None


def _route(pairs: dict[str, str]) -> str | None:
    request, job = _request(pairs), _job(pairs)
    if request:
        return request
    if job:
        return f"{job[0]}:{job[1]}" if job[0] else job[1]
    if pairs.get("controller"):
        return pairs["controller"]
    return pairs.get("prismaquery", "").partition(":")[0] or None
