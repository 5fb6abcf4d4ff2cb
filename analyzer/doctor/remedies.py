"""Commands that change a setting or grant a privilege, as they are run where the server is run."""

import shlex
from collections.abc import Iterable, Sequence

from analyzer.model.diagnosis import Provider
from analyzer.model.examination import Examination

RELOAD = "SELECT pg_reload_conf();"
RESTART = "-- then restart the server"


class Remedies:
    """Words fixes for one server."""

    def __init__(self, found: Examination, provider: Provider | None) -> None:
        """`provider` is None where the team runs the server itself."""
        self._found = found
        self._provider = provider

    @property
    def provider(self) -> Provider | None:
        """Whose server it is."""
        return self._provider

    def set(self, name: str, value: str, *, restart: bool = False) -> tuple[str, ...]:
        """What changes a setting for the whole server, and makes it hold."""
        if self._provider is None:
            last = RESTART if restart else RELOAD
            return (f"ALTER SYSTEM SET {name} = {literal(value)};", last)
        after = ["-- applies after a reboot"] if restart else []
        return (*_COMMANDS[self._provider.id](name, value, restart), *after)

    def set_list(self, name: str, values: Sequence[str], *, restart: bool) -> tuple[str, ...]:
        """What changes a setting that is a list of names: one literal each, or all would be one name."""
        if self._provider is None:
            named = ", ".join(literal(value) for value in values)
            return (f"ALTER SYSTEM SET {name} = {named};", RESTART if restart else RELOAD)
        return self.set(name, ",".join(values), restart=restart)

    def reset(self, name: str, value: str) -> tuple[str, ...]:
        """What takes a setting back to `value`, what it is now.

        One that ALTER SYSTEM or nobody set goes back to where it came from.
        """
        source = self._found.sources.get(name)
        if self._provider is None and source == "default":
            return (f"ALTER SYSTEM RESET {name};", RELOAD)
        return self.set(name, value)

    def grant(self, role: str) -> tuple[str, ...]:
        """What grants a predefined role to pg95's."""
        return (f"GRANT {role} TO {identifier(self._found.role.name)};",)


def together(*fixes: Iterable[str]) -> tuple[str, ...]:
    """Several changes as one: the server reloads, or is restarted, once and at the end."""
    every = [command for fix in fixes for command in fix]
    last = [command for command in (RELOAD, RESTART) if command in every]
    return (*(command for command in every if command not in last), *last)


def literal(value: str) -> str:
    """A value as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an SQL identifier, always quoted."""
    return '"' + name.replace('"', '""') + '"'


def _rds(name: str, value: str, restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    method = "pending-reboot" if restart else "immediate"
    given = shlex.quote(f"ParameterName={name},ParameterValue={value},ApplyMethod={method}")
    if "," in value:
        made = f'[{{"ParameterName": "{name}", "ParameterValue": "{value}", "ApplyMethod": "{method}"}}]'
        given = shlex.quote(made)
    return (
        f"aws rds modify-db-parameter-group --db-parameter-group-name GROUP --parameters {given}",
    )


def _aurora(name: str, value: str, restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    (command,) = _rds(name, value, restart)
    cluster = command.replace(
        "db-parameter-group --db-p", "db-cluster-parameter-group --db-cluster-p"
    )
    return (cluster,)


def _cloud_sql(name: str, value: str, _restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    flags = shlex.quote(f"^:^{name}={value}")
    return (f"gcloud sql instances patch INSTANCE --database-flags={flags}",)


def _alloydb(name: str, value: str, _restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    flags = shlex.quote(f"^:^{name}={value}")
    place = "--cluster=CLUSTER --region=REGION"
    return (f"gcloud alloydb instances update INSTANCE {place} --database-flags={flags}",)


def _azure(name: str, value: str, _restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    place = "--resource-group GROUP --server-name SERVER"
    given = f"--name {name} --value {shlex.quote(value)}"
    return (f"az postgres flexible-server parameter set {place} {given}",)


def _by_role(name: str, value: str, _restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    return (
        f"ALTER ROLE postgres SET {name} = {literal(value)};",
        "-- and so for each role that the application connects as; it holds for new sessions",
    )


def _neon(name: str, value: str, _restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    return (f"-- {name} = {literal(value)}: ask the provider's support, if it needs a superuser",)


def _heroku(name: str, value: str, _restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    if name not in _HEROKU_KNOWS:
        return (f"-- {name} = {literal(value)} cannot be set there",)
    return (f"heroku pg:settings:{name.replace('_', '-')} {shlex.quote(value)} -a APP",)


def _crunchy(name: str, value: str, _restart: bool) -> tuple[str, ...]:  # noqa: FBT001 - as _COMMANDS has it
    return (f"-- in the cluster's configuration parameters: {name} = {literal(value)}",)


_HEROKU_KNOWS = frozenset(
    (
        *("log_lock_waits", "log_min_duration_statement", "log_statement", "log_connections"),
        *("auto_explain.log_min_duration", "auto_explain.log_analyze", "auto_explain.log_buffers"),
    )
)
_COMMANDS = {
    "rds": _rds,
    "aurora": _aurora,
    "cloud-sql": _cloud_sql,
    "alloydb": _alloydb,
    "azure": _azure,
    "supabase": _by_role,
    "neon": _neon,
    "heroku": _heroku,
    "crunchy": _crunchy,
}
