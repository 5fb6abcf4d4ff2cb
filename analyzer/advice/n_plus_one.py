"""N+1 → one statement for all keys, and the ORM's own way where the stack is known."""

from collections.abc import Mapping

from analyzer.advice.stacks import uses_prisma
from analyzer.model.catalog import Catalog, Relation, Table
from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.finding import Recommendation
from analyzer.model.statement import Statement
from analyzer.model.workload import Workload
from analyzer.sql.rewrite import batch

_BATCH_RISK = (
    "one larger statement: for thousands of keys split the array, and load only the columns needed"
)


def recommend_batch(evidence: NPlusOneEvidence, workload: Workload) -> tuple[Recommendation, ...]:
    """The ORM's eager loading first where the log or the schema is Prisma's, then plain SQL."""
    made = []
    if uses_prisma(workload):
        made.append(_include(evidence, workload.catalog))
    plain = _batched_sql(evidence, workload)
    if plain is not None:
        made.append(plain)
    return tuple(made)


def statement_of(workload: Workload, shape_id: str) -> Statement:
    """The workload's statement of that shape."""
    return next(one for one in workload.statements if one.shape_id == shape_id)


def _effect(evidence: NPlusOneEvidence) -> Mapping[str, float | int | str | None]:
    children = evidence.children_per_occurrence.median
    return {"round_trips_before": 1 + children, "round_trips_after": 2}


def _batched_sql(evidence: NPlusOneEvidence, workload: Workload) -> Recommendation | None:
    child = statement_of(workload, evidence.child_shape_id)
    column = evidence.lookup_columns[0] if len(evidence.lookup_columns) == 1 else None
    if column is None:
        return None
    table = workload.catalog.table(child.facts.main_table) if workload.catalog else None
    unique = table.is_unique(frozenset([column])) if table else column in ("id", "uuid")
    made = batch(child.sql, column, child.facts, unique=unique)
    if made is None:
        return None
    keys = ", ".join(evidence.parent_columns)
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Load {evidence.child_table} for all rows of {evidence.parent_table} at once",
        text=f"-- ${made.array}: array of {evidence.parent_table}.{keys}, collected from the parent's rows\n{made.sql};",
        verified_by="rule",
        risk=f"{_BATCH_RISK}; {made.note}",
        effect=_effect(evidence),
    )


def _include(evidence: NPlusOneEvidence, catalog: Catalog | None) -> Recommendation:
    """`include` on the parent's query, with the relation's name from the schema where it is known."""
    table = catalog.table(evidence.parent_table) if catalog else None
    relation = _relation(table, evidence) if table else None
    counts = "count(" in evidence.child_sql.lower()[:80]
    if table is not None and table.model and relation is not None:
        model, name = table.model, relation.name
        known = ""
    else:
        model = (table.model if table else None) or _model_name(evidence.parent_table or "parent")
        name = evidence.child_table or "children"
        known = "\n// names guessed from the tables: give --schema schema.prisma for the real ones"
    selected = (
        f"{{ _count: {{ select: {{ {name}: true }} }} }}" if counts else f"{{ {name}: true }}"
    )
    delegate = model[:1].lower() + model[1:]
    return Recommendation(
        kind="orm",
        language="prisma",
        title=f"Ask for {name} with the {model} query",
        text=(
            f"const rows = await prisma.{delegate}.findMany({{\n"
            f"  // where, orderBy, take as in the parent's query\n"
            f"  include: {selected},\n"
            f"}}); // rows[i].{'_count.' if counts else ''}{name} replaces the query in the loop{known}"
        ),
        verified_by="rule",
        risk="include loads every column of the relation: use select for wide tables, and take for long lists",
        effect=_effect(evidence),
    )


def _relation(table: Table, evidence: NPlusOneEvidence) -> Relation | None:
    """The parent model's relation field that leads to the child's table over the lookup."""
    matching = [
        relation
        for relation in table.relations
        if relation.target in (evidence.child_table, *evidence.child_tables) and relation.target
    ]
    exact = [
        relation
        for relation in matching
        if set(evidence.lookup_columns) & set(relation.target_columns)
        or set(evidence.parent_columns) & set(relation.columns)
    ]
    return next(iter([*exact, *matching]), None)


def _model_name(table: str) -> str:
    name = table.rpartition(".")[2]
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) or "Parent"
