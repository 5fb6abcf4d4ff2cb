"""A blueprint from files: pg_dump's pair, or a snapshot that was taken with statistics."""

from analyzer.errors import InputError
from analyzer.model.blueprint import Blueprint, ColumnStatistics, RelationStatistics
from analyzer.sources.opening import open_input
from analyzer.sources.schema.script import statements
from analyzer.sources.snapshot_file import is_snapshot, read_snapshot
from analyzer.sql.statistics_calls import (
    RELATION,
    NotStatisticsError,
    StatisticsCall,
    statistics_calls,
)

HOW = (
    "pg_dump --schema-only > schema.sql and pg_dump --statistics-only > stats.sql "
    "(the pg_dump of PostgreSQL 18, from any server since 9.2)"
)
_NO_SETTINGS = (
    "dumps hold no settings: the clone plans with PostgreSQL's defaults (work_mem, "
    "random_page_cost …); pg95 snapshot --with-statistics keeps the server's own"
)
_LARGEST_BYTES = 512 << 20
_HEAD = 200  # characters, by which a snapshot is told
_KNOWN = frozenset(
    {
        *("null_frac", "avg_width", "n_distinct", "most_common_vals", "most_common_freqs"),
        *("histogram_bounds", "correlation", "most_common_elems", "most_common_elem_freqs"),
        *("elem_count_histogram", "range_length_histogram", "range_empty_frac"),
        "range_bounds_histogram",
    }
)


def pair_of_dumps(schema: str, statistics: str, names: tuple[str, str]) -> Blueprint:
    """The blueprint from the texts of `pg_dump --schema-only` and `pg_dump --statistics-only`.

    Args:
        schema: the first's text.
        statistics: the second's.
        names: their files' names, for messages.

    Raises:
        InputError: the second holds no statistics, or such that pg_dump does not write.
    """
    relations, columns, version = [], [], None
    for statement in statements(statistics):
        try:
            calls = statistics_calls(statement)
        except NotStatisticsError as error:
            raise InputError(
                f"{names[1]}: statistics that cannot be read ({error}); take them again: {HOW}"
            ) from None
        for call in calls:
            version = _whole(call, "version", names[1], version)
            if call.function == RELATION:
                relations.append(_relation(call, names[1]))
            else:
                columns.append(_column(call, names[1]))
    if not relations:
        raise InputError(
            f"{names[1]}: holds no statistics of a planner; a clone needs both of {HOW}"
        )
    return Blueprint(
        origin=" and ".join(names),
        statements=tuple(statements(schema)),
        relations=tuple(relations),
        columns=tuple(columns),
        server_version=version,
        warnings=(_NO_SETTINGS,),
    )


def read_blueprint_file(statistics: str, schema: str | None) -> Blueprint:
    """The blueprint that `--statistics` (and `--schema`, with a dump) names.

    Args:
        statistics: a snapshot's file, or what pg_dump --statistics-only wrote; packed or not, "-" for
            standard input.
        schema: what pg_dump --schema-only wrote; a snapshot has its own.

    Raises:
        InputError: a file cannot be read or is not what it should be; the message says what is.
    """
    text = _text(statistics)
    if is_snapshot(text[:_HEAD].encode("utf-8", "surrogateescape")):
        blueprint = read_snapshot(text, statistics).blueprint
        if blueprint is None:
            raise InputError(
                f"--statistics {statistics}: a snapshot without statistics; take one with them: "
                "pg95 snapshot --with-statistics -o FILE"
            )
        return blueprint
    if schema is None or schema.endswith(".prisma"):
        raise InputError(
            f"--statistics {statistics}: a dump of statistics needs --schema FILE beside it, the SQL of "
            "pg_dump --schema-only of the same database"
        )
    return pair_of_dumps(_text(schema), text, (schema, statistics))


def _text(path: str) -> str:
    """All of an input as text; bytes that are no UTF-8 stay what they are."""
    with open_input(path) as stream:
        data = stream.read(_LARGEST_BYTES + 1)
        while len(data) <= _LARGEST_BYTES and (more := stream.read(1 << 20)):
            data += more
    if len(data) > _LARGEST_BYTES:
        raise InputError(
            f"{path}: larger than {_LARGEST_BYTES // 2**20} MB, which no statistics are"
        )
    return data.decode("utf-8", "surrogateescape")


def _relation(call: StatisticsCall, name: str) -> RelationStatistics:
    schema, relation = _names(call, name)
    rows = call.arguments.get("reltuples", "-1")
    return RelationStatistics(
        schema=schema,
        name=relation,
        pages=_whole(call, "relpages", name) or 0,
        rows=_number(rows, f"{name}: reltuples of {relation}"),
        all_visible=_whole(call, "relallvisible", name) or 0,
    )


def _column(call: StatisticsCall, name: str) -> ColumnStatistics:
    schema, relation = _names(call, name)
    return ColumnStatistics(
        schema=schema,
        relation=relation,
        column=call.arguments.get("attname"),
        inherited=call.arguments.get("inherited") in ("true", "t"),
        values={key: value for key, value in call.arguments.items() if key in _KNOWN},
        number=_whole(call, "attnum", name),
    )


def _names(call: StatisticsCall, name: str) -> tuple[str, str]:
    """Schema and relation: two arguments; `relation` alone is how the betas of 18 wrote it."""
    given = call.arguments
    if "schemaname" in given and "relname" in given:
        return given["schemaname"], given["relname"]
    raise InputError(f"{name}: statistics without schemaname and relname; take them again: {HOW}")


def _whole(call: StatisticsCall, key: str, name: str, default: int | None = None) -> int | None:
    given = call.arguments.get(key)
    return default if given is None else int(_number(given, f"{name}: {key}"))


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where} is {text[:40]!r}, which is no number") from None
