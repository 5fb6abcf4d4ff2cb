"""What the doctor says of settings, and of providers: their marks, and fixes as they are run there.

What is held of providers is what their documentation says; no test ran on their servers.
"""

import shlex
from dataclasses import replace

import pytest

from analyzer.doctor import diagnose
from analyzer.doctor.providers import recognise
from analyzer.doctor.remedies import Remedies, together
from analyzer.model.examination import Examination, ExtensionState, RoleRights
from analyzer.model.snapshot import ServerIdentity, Snapshot

PLAIN = Examination(
    snapshot=Snapshot(
        ServerIdentity("postgresql://app@10.0.0.5:5432/shop", None, 150004, 1),
        taken_us=2,
        counters=(),
        settings={"shared_preload_libraries": "rdsutils", "log_min_duration_statement": "-1 ms"},
    ),
    database="shop",
    version_text="PostgreSQL 15.4",
    role=RoleRights(
        "app", superuser=False, reads_statistics=True, may_read_statistics=True, reads_settings=True
    ),
    extension=ExtensionState(None, None, "1.10", readable=False, why_not="none"),
)


@pytest.mark.parametrize(
    ("marks", "provider", "command"),
    [
        (["role rds_superuser", "setting rds.*"], "rds", "aws rds modify-db-parameter-group "),
        (
            ["function aurora_version()", "role rds_superuser"],
            "aurora",
            "aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name ",
        ),
        (["role cloudsqlsuperuser"], "cloud-sql", "gcloud sql instances patch "),
        (["role alloydbsuperuser"], "alloydb", "gcloud alloydb instances update "),
        (["role azure_pg_admin"], "azure", "az postgres flexible-server parameter set "),
        (["role supabase_admin"], "supabase", "ALTER ROLE postgres SET "),
        (["setting neon.*"], "neon", "-- "),
        (["schema heroku_ext"], "heroku", "heroku pg:settings:log-min-duration-statement 50ms "),
        (["role crunchy_superuser"], "crunchy", "-- in the cluster's configuration parameters"),
    ],
)
def test_marks_tell_the_provider(marks: list[str], provider: str, command: str) -> None:
    found = replace(PLAIN, marks=marks)
    recognised = recognise(found)
    assert recognised is not None
    assert recognised.id == provider
    assert recognised.evidence[0] in marks
    (coverage,) = [one for one in diagnose(found, 100).checks if one.id == "coverage"]
    assert coverage.fixes[0].startswith(command)
    assert not any("ALTER SYSTEM" in fix for fix in coverage.fixes)


def test_a_host_tells_where_no_mark_does() -> None:
    address = "postgresql://app@db.abc.eu-west-1.rds.amazonaws.com:5432/shop"
    found = replace(
        PLAIN, snapshot=replace(PLAIN.snapshot, server=ServerIdentity(address, None, 150004, 1))
    )
    recognised = recognise(found)
    assert recognised is not None
    assert (recognised.id, recognised.evidence) == ("rds", ("host *.rds.amazonaws.com",))
    assert recognise(PLAIN) is None


@pytest.mark.parametrize(
    ("settings", "status", "said"),
    [
        ({"log_min_duration_statement": "0 ms"}, "ok", "the P95 is exact"),
        ({"log_min_duration_statement": "100 ms"}, "ok", "tail-exact"),
        ({"log_min_duration_statement": "101 ms"}, "missing", "above the target"),
        ({"log_min_duration_statement": "-1 ms"}, "missing", "no execution is logged"),
        ({"log_min_duration_statement": "0 ms", "log_min_messages": "panic"}, "missing", "panic"),
        ({"log_statement": "all", "log_duration": "on"}, "ok", "in two entries"),
        ({"log_duration": "on"}, "missing", "belong to no statement"),
        ({"log_transaction_sample_rate": "0.1"}, "ok", "a sample is logged (0.1"),
        (
            {"log_min_duration_sample": "0 ms", "log_statement_sample_rate": "0.01"},
            "ok",
            "a sample is logged (0.01",
        ),
        ({"log_min_duration_sample": "0 ms", "log_statement_sample_rate": "1"}, "ok", "exact"),
    ],
)
def test_what_a_log_is_worth(settings: dict[str, str], status: str, said: str) -> None:
    found = replace(PLAIN, snapshot=replace(PLAIN.snapshot, settings=settings))
    (coverage,) = [one for one in diagnose(found, 100).checks if one.id == "coverage"]
    assert coverage.status == status
    assert said in coverage.text
    assert coverage.essential


def test_values_are_quoted_where_they_are_run() -> None:
    found = replace(PLAIN, marks=["role rds_superuser"])
    rds = Remedies(found, recognise(found)).set("log_line_prefix", "%m 'x' ")
    (command,) = rds
    assert shlex.split(command)[-1] == (
        "ParameterName=log_line_prefix,ParameterValue=%m 'x' ,ApplyMethod=immediate"
    )
    own = Remedies(PLAIN, None)
    assert own.set("log_line_prefix", "it's")[0] == "ALTER SYSTEM SET log_line_prefix = 'it''s';"
    assert own.set_list("shared_preload_libraries", ["a", "b"], restart=True) == (
        "ALTER SYSTEM SET shared_preload_libraries = 'a', 'b';",
        "-- then restart the server",
    )
    assert together(own.set("a", "1"), own.set("b", "2")) == (
        "ALTER SYSTEM SET a = '1';",
        "ALTER SYSTEM SET b = '2';",
        "SELECT pg_reload_conf();",
    )
    assert own.grant("pg_monitor") == ('GRANT pg_monitor TO "app";',)
