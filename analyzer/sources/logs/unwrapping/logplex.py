"""Heroku's log stream: PostgreSQL among routers and dynos, each line with its source.

    2019-03-14T00:22:56+00:00 app[postgres.4882]: [GREEN] [15-1]  sql_error_code = 00000 LOG:  …
    451 <134>1 2023-06-05T19:33:14+00:00 host app postgres.110 - [GREEN] [12-1]  sql_error_code = …

The second is how a drain receives it. The prefix is Heroku's own; since 2022 it has time, process,
session, user and more as `name="value"`. It is rewritten to one that a log_line_prefix can say.
"""

from analyzer.patterns import regex
from analyzer.sources.logs.unwrapping._entries import LONGEST_PREFIX, SEVERITY
from analyzer.sources.logs.unwrapping.syslog import SyslogUnwrapper, program

_PREFIX = regex(rb"\s*sql_error_code\s*=\s*([0-9A-Z]{5})")
_VALUE = regex(rb'([a-z_]{1,32})\s?=\s?"([^"\n]{0,256})"')
PROCESS = regex(rb"postgres\.(\d{1,10})")


class LogplexUnwrapper(SyslogUnwrapper):
    """Unwraps PostgreSQL's lines of a Heroku log; those of the application are counted apart."""

    name = "logplex"
    title = "Heroku logplex"
    rewrites = True

    def _server(self, origin: bytes, _number: bytes, _text: bytes) -> bytes | None:
        found = PROCESS.fullmatch(program(origin)[1])
        if found is None:
            return None
        self._remember(origin, found[1])
        return found[1]

    def _rewritten(self, stamp: bytes, process: bytes, number: bytes, text: bytes) -> bytes:
        """Heroku's prefix as `%m [%p] %c %l %e user=%u,db=%d,app=%a `.

        The older, short one has the SQLSTATE only: what it lacks comes from the record.
        """
        code = _PREFIX.match(text)
        severity = SEVERITY.search(text, code.end(), LONGEST_PREFIX) if code else None
        time = self._stamps.read(stamp)
        if code is None or severity is None or time is None:
            return text
        values = dict(_VALUE.findall(text, code.end(), severity.start()))
        return b"%s [%s] %s %s %s user=%s,db=%s,app=%s %s" % (
            values.get(b"time_ms", time),
            values.get(b"pid", process),
            values.get(b"session_id", b"00000000.%x" % int(process)),
            values.get(b"log_line", number or b"0"),
            code[1],
            values.get(b"user", b""),
            values.get(b"database", b""),
            values.get(b"application_name", b""),
            text[severity.start() :],
        )
