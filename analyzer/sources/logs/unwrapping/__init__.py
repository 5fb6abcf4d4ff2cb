"""Logs that reach a team wrapped in another format, unwrapped into what PostgreSQL wrote.

Every wrapped log becomes the bytes of an stderr, csvlog or jsonlog (`Unwrapper.inner`), which
those readers read. What could not be unwrapped is counted, and so are records of other programs.

| name | what it is | inner | tried on |
|---|---|---|---|
| syslog | RFC 3164, with ISO times, RFC 5424; Crunchy Bridge | stderr | captures |
| logplex | Heroku | stderr | captures |
| journald | `journalctl -o json` | stderr | captures |
| cloudsql | Cloud Logging: Cloud SQL; AlloyDB from its documentation | stderr | captures |
| cnpg | CloudNativePG | jsonlog | captures |
| cri, docker | container runtimes' logs, whatever the container wrote | any | wrapped captures |
| cloudwatch | RDS and Aurora through CloudWatch Logs | stderr | documentation |
| azure | Azure Database for PostgreSQL | stderr | documentation |
| supabase | Supabase's postgres_logs | jsonlog | documentation |
| otlp | OpenTelemetry logs as JSON: Neon | stderr | documentation |

A file that RDS or Aurora keeps is plain stderr and needs no unwrapping. A new format is a file
with an `Unwrapper`, and a line in _recognition.py's tables.
"""

from analyzer.sources.logs.unwrapping._base import Account, Inner, Unwrapper
from analyzer.sources.logs.unwrapping._recognition import UNWRAPPERS, recognise_wrapping

__all__ = ["UNWRAPPERS", "Account", "Inner", "Unwrapper", "recognise_wrapping"]
