"""The session in which a clone plans: EXPLAIN alone, read-only, as a role without privileges."""

import json
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import pq

from analyzer.errors import WhatIfError
from analyzer.model.blueprint import Blueprint
from analyzer.sources.postgres.connection import Connection
from analyzer.sources.postgres.explain import told

_LIMIT = "10s"
# Settings that decide plans, or what literals mean. No other is taken from a blueprint.
SETTINGS = frozenset(
    """
    work_mem hash_mem_multiplier effective_cache_size random_page_cost seq_page_cost cpu_tuple_cost
    cpu_index_tuple_cost cpu_operator_cost parallel_setup_cost parallel_tuple_cost
    min_parallel_table_scan_size min_parallel_index_scan_size max_parallel_workers_per_gather
    parallel_leader_participation enable_async_append enable_bitmapscan enable_gathermerge enable_hashagg
    enable_hashjoin enable_incremental_sort enable_indexscan enable_indexonlyscan enable_material
    enable_memoize enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash
    enable_partition_pruning enable_partitionwise_join enable_partitionwise_aggregate
    enable_presorted_aggregate enable_seqscan enable_sort enable_tidscan geqo geqo_threshold geqo_effort
    geqo_seed from_collapse_limit join_collapse_limit cursor_tuple_fraction constraint_exclusion
    recursive_worktable_factor TimeZone DateStyle IntervalStyle default_text_search_config
    """.split()  # noqa: SIM905 - a list to be read
)


class Planner:
    """Plans statements on one connection. `calls` counts them, `warnings` are settings it lacks."""

    def __init__(
        self, connection: Connection, blueprint: Blueprint, schemas: Sequence[str]
    ) -> None:
        self.calls = 0
        self.warnings: list[str] = []
        self._connection = connection
        self._prepared: dict[str, str] = {}  # names by text
        for name, value in sorted(blueprint.settings.items()):
            if name in SETTINGS:
                self._set(name, value)
        path = blueprint.search_path or tuple(dict.fromkeys(schemas))
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in path)
        self._set("search_path", quoted)
        for name, value in (
            ("statement_timeout", _LIMIT),
            ("default_transaction_read_only", "on"),
            ("plan_cache_mode", "force_generic_plan"),
            ("standard_conforming_strings", "on"),
        ):
            self._set(name, value)

    def explain(self, text: str, parameters: int) -> dict[str, Any]:
        """The plan document of one statement with so many `$n`, which are planned generically.

        Raises:
            WhatIfError: the server refuses the statement.
            psycopg.OperationalError: the connection is lost.
        """
        self.calls += 1
        return self._planned(text, parameters)

    def rows(self, text: str) -> float:
        """How many rows the planner expects of a SELECT; that is no question about an index.

        Raises:
            WhatIfError: the server refuses the statement.
        """
        return float(self._planned(text, 0)["Plan"]["Plan Rows"])

    def _planned(self, text: str, parameters: int) -> dict[str, Any]:
        try:
            explained = self._execution(text, parameters) if parameters else text.encode()
        except UnicodeError:
            raise WhatIfError("its text is not UTF-8") from None
        # The extended protocol takes one statement alone.
        result = self._connection.pgconn.exec_params(b"EXPLAIN (FORMAT JSON) " + explained, None)
        self._check(result, pq.ExecStatus.TUPLES_OK)
        document: dict[str, Any] = json.loads(result.get_value(0, 0) or b"")[0]
        return document

    def _execution(self, text: str, parameters: int) -> bytes:
        """EXECUTE of the statement, which is prepared once: it is planned again when indexes changed."""
        name = self._prepared.get(text)
        if name is None:
            name = f"pg95_{len(self._prepared)}"
            result = self._connection.pgconn.prepare(name.encode(), text.encode())
            self._check(result, pq.ExecStatus.COMMAND_OK)
            self._prepared[text] = name
        values = ", ".join(["NULL"] * parameters)
        return f"EXECUTE {name} ({values})".encode()

    def _check(self, result: "pq.abc.PGresult", wanted: pq.ExecStatus) -> None:
        if result.status == wanted:
            return
        error = psycopg.errors.error_from_result(result)
        if self._connection.pgconn.status != pq.ConnStatus.OK:
            raise error
        raise WhatIfError(f"the clone's server: {told(error)}")

    def _set(self, name: str, value: str) -> None:
        try:
            self._connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        except psycopg.Error:
            if self._connection.closed:
                raise
            self.warnings.append(f"the clone's server does not take {name} = {value[:40]}")
