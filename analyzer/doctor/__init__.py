"""What a server's settings let pg95 see, and what to change: checks, and a plan for its log.

`diagnose` judges what `sources/postgres/examination.py` read. `plan_logging` predicts what each
setting would log. Nothing here talks to a server, and nothing here changes one: fixes are printed.
"""

from analyzer.doctor.logged import check_logging
from analyzer.doctor.plans_logged import check_plans
from analyzer.doctor.providers import recognise
from analyzer.doctor.remedies import Remedies
from analyzer.doctor.statistics import check_statistics
from analyzer.model.diagnosis import Check, Diagnosis
from analyzer.model.examination import Examination

__all__ = ["diagnose"]


def diagnose(found: Examination, target_ms: float) -> Diagnosis:
    """Judge what was found, for a target of `target_ms` milliseconds."""
    provider = recognise(found)
    remedies = Remedies(found, provider)
    checks = [
        _greeting(found),
        *check_statistics(found, remedies),
        *check_logging(found, remedies, target_ms),
        *check_plans(found, remedies),
        *(Check("unread", "warning", text) for text in found.warnings),
    ]
    version = found.snapshot.settings.get("server_version", str(found.snapshot.server.version))
    return Diagnosis(found.snapshot.server.address, version, provider, checks)


def _greeting(found: Examination) -> Check:
    version = found.snapshot.settings.get("server_version", str(found.snapshot.server.version))
    replica = ", a replica (counters and logs are its own; grants and extensions its primary's)"
    where = replica if found.snapshot.server.in_recovery else ""
    text = f"PostgreSQL {version} as {found.role.name}, database {found.database}{where}"
    return Check("connection", "ok", text)
