"""Who runs a server, by the marks that providers leave in it.

The marks, where logs are had and how settings are changed come from the providers' documentation;
none of it was tried on their servers, and what the doctor prints says so.
"""

from analyzer.model.diagnosis import Provider
from analyzer.model.examination import Examination
from analyzer.records import record


@record
class _Known:
    """A provider: marks (any of them is enough), ends of host names, and what to know."""

    id: str
    name: str
    marks: tuple[str, ...]
    hosts: tuple[str, ...]
    logs: str
    settings: str


# The more specific come first: an Aurora has the marks of RDS, AlloyDB some of Cloud SQL.
_KNOWN = (
    _Known(
        "aurora",
        "Amazon Aurora",
        ("function aurora_version()", "setting aurora.*"),
        (),
        "aws rds download-db-log-file-portion, or CloudWatch Logs if the log is exported there",
        "the DB cluster parameter group",
    ),
    _Known(
        "rds",
        "Amazon RDS",
        ("role rdsadmin", "role rds_superuser", "setting rds.*"),
        (".rds.amazonaws.com", ".rds.amazonaws.com.cn"),
        "aws rds download-db-log-file-portion, or CloudWatch Logs if the log is exported there",
        "the DB parameter group",
    ),
    _Known(
        "alloydb",
        "AlloyDB",
        ("role alloydbadmin", "role alloydbsuperuser", "setting alloydb.*"),
        (),
        "Cloud Logging: gcloud logging read, log name postgres.log",
        "database flags of the instance",
    ),
    _Known(
        "cloud-sql",
        "Cloud SQL",
        ("role cloudsqladmin", "role cloudsqlsuperuser", "setting cloudsql.*"),
        (),
        "Cloud Logging: gcloud logging read, log name cloudsql.googleapis.com/postgres.log",
        "database flags of the instance (a patch replaces all flags: repeat those that are set)",
    ),
    _Known(
        "azure",
        "Azure Database for PostgreSQL",
        ("role azuresu", "role azure_pg_admin", "setting azure.*"),
        (".postgres.database.azure.com",),
        "az postgres flexible-server server-logs download, or diagnostic settings (PostgreSQLLogs)",
        "server parameters",
    ),
    _Known(
        "supabase",
        "Supabase",
        ("role supabase_admin", "schema supabase_functions", "schema supabase_migrations"),
        (".supabase.co", ".pooler.supabase.com"),
        "the project's Logs Explorer (postgres_logs), or a log drain",
        "ALTER ROLE … SET for the settings that supautils lets the role postgres change",
    ),
    _Known(
        "neon",
        "Neon",
        ("role neon_superuser", "setting neon.*"),
        (".neon.tech",),
        "OpenTelemetry export of PostgreSQL's logs in the project's integrations",
        "ALTER ROLE or DATABASE … SET, for settings that need no superuser; others by its support",
    ),
    _Known(
        "heroku",
        "Heroku Postgres",
        ("schema heroku_ext",),
        (),
        "heroku logs -p postgres --tail, or a log drain (not for Essential plans)",
        "heroku pg:settings, for the settings that it knows",
    ),
    _Known(
        "crunchy",
        "Crunchy Bridge",
        ("role crunchy_superuser",),
        (".postgresbridge.com",),
        "a logging destination of the cluster (syslog), or cb logs",
        "the cluster's configuration parameters, in the dashboard or with cb",
    ),
)


def recognise(found: Examination) -> Provider | None:
    """Whose server it is, None where nothing tells."""
    marks = set(found.marks)
    host = found.snapshot.server.address.partition("@")[2].partition("/")[0].rpartition(":")[0]
    for known in _KNOWN:
        evidence = [mark for mark in known.marks if mark in marks]
        evidence += [f"host *{end}" for end in known.hosts if host.endswith(end)]
        if evidence:
            return Provider(known.id, known.name, tuple(evidence), known.logs, known.settings)
    return None
