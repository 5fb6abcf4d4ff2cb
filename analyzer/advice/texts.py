"""Advice on what a statement's text asks for: the index that serves it, or the text written otherwise."""

from functools import singledispatch

from analyzer.model.catalog import Catalog
from analyzer.model.finding import Recommendation
from analyzer.model.text_evidence import (
    FunctionOnColumnEvidence,
    ImplicitCastEvidence,
    LargeInListEvidence,
    LeadingWildcardEvidence,
    NotInSubqueryEvidence,
    OrderByRandomEvidence,
    StatementEvidence,
)
from analyzer.sql.quoting import quote_identifier, quote_table
from analyzer.sql.sargable import with_arrays

_JSON_PATHS = frozenset({"->", "->>", "#>", "#>>"})
_CONCURRENTLY = "CONCURRENTLY does not block writers and cannot run inside a transaction"
_MANY_ROWS = 100_000  # from here on a sample of pages is representative enough to suggest
# Rows to sample from: those of 20 pages of 8 KiB, which hold 291 rows at most. SYSTEM takes each page by chance on its own:
# of 20 expected pages it takes none once in e^20 (500 million) times, of 5 once in 150.
_SAMPLED = 20 * 291


_FROM_KEY = """\
SELECT * FROM {table}
WHERE {key} >= (SELECT min({key}) + floor(random() * (max({key}) - min({key}) + 1))::bigint FROM {table})
{conditions}ORDER BY {key}
LIMIT {count};"""
_FROM_SAMPLE = """\
SELECT * FROM {table} TABLESAMPLE SYSTEM ({percent:g})
ORDER BY random()
LIMIT {count};"""


@singledispatch
def recommend_for_text(
    _evidence: StatementEvidence, _catalog: Catalog | None
) -> tuple[Recommendation, ...]:
    """What to do about a finding on a statement's text, the most direct first."""
    return ()


@recommend_for_text.register
def _trigrams(
    evidence: LeadingWildcardEvidence, _catalog: Catalog | None
) -> tuple[Recommendation, ...]:
    """A trigram index for each column or expression that is searched."""
    if not evidence.indexable:
        return ()
    lines = ["CREATE EXTENSION IF NOT EXISTS pg_trgm;"]
    lines += [
        f"CREATE INDEX CONCURRENTLY ON {quote_table(evidence.table)} USING gin ({_key(subject)} gin_trgm_ops);"
        for subject in evidence.subjects
    ]
    return (
        Recommendation(
            kind="index",
            language="sql",
            title=f"Index the trigrams of {', '.join(evidence.subjects)}",
            text="\n".join(lines),
            verified_by="rule",
            risk=f"GIN entries cost more to write than a btree's; patterns of one or two characters are not served; {_CONCURRENTLY}.",
        ),
    )


@recommend_for_text.register
def _sargable(
    evidence: FunctionOnColumnEvidence, _catalog: Catalog | None
) -> tuple[Recommendation, ...]:
    """The range of the bare column where there is one, and the index on the expression."""
    made = []
    if evidence.rewritten_sql is not None:
        made.append(
            Recommendation(
                kind="rewrite",
                language="sql",
                title=f"Compare {evidence.column} itself, so that an index on it serves",
                text=f"{evidence.rewritten_sql};",
                verified_by="rule",
                risk=_rewriting_risk(evidence),
            )
        )
    if evidence.indexable and evidence.expression is not None:
        made.append(
            Recommendation(
                kind="index",
                language="sql",
                title=f"Index the expression {evidence.expression}",
                text=f"CREATE INDEX CONCURRENTLY ON {quote_table(evidence.table)} ({_key(evidence.expression)});\nANALYZE {quote_table(evidence.table)};",
                verified_by="rule",
                risk=f"Statements must spell the expression the same way; {_CONCURRENTLY}.",
            )
        )
    return tuple(made) or (_by_hand(evidence),)


def _rewriting_risk(evidence: FunctionOnColumnEvidence) -> str:
    if evidence.computed_by == "coalesce":
        return f"An index on {evidence.column} serves both parts, also the one for NULL."
    return f"It needs an index that begins with {evidence.column}, or with what else is compared for equality."


def _by_hand(evidence: FunctionOnColumnEvidence) -> Recommendation:
    column = quote_identifier(evidence.column)
    if evidence.computed_by in _JSON_PATHS:
        return Recommendation(
            kind="index",
            language="sql",
            title=f"Ask for {evidence.column} by containment, which a GIN index serves",
            text=(
                f"CREATE INDEX CONCURRENTLY ON {quote_table(evidence.table)} USING gin ({column} jsonb_path_ops);\n"
                f"-- then WHERE {column} @> $1, with $1 the key and its value as a JSON object"
            ),
            verified_by="rule",
            risk=f"{evidence.column} has to be jsonb, and containment is only equality of the keys named; {_CONCURRENTLY}.",
        )
    operator = evidence.operator if evidence.operator != "between" else ">="
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Move the computation from {evidence.column} to the value",
        text=f"-- with the computation done on the value's side\nWHERE {column} {operator} $1",
        verified_by="rule",
        risk="Check that it means the same (time zones, NULLs); the expression as it is cannot be indexed.",
    )


@recommend_for_text.register
def _own_type(
    evidence: ImplicitCastEvidence, _catalog: Catalog | None
) -> tuple[Recommendation, ...]:
    """The value in the column's type."""
    column = quote_identifier(evidence.column)
    operator = evidence.operator if evidence.operator in ("<", "<=", ">", ">=") else "="
    if evidence.column_type is not None:
        text = f"-- the value is cast, the column is not\nWHERE {column} {operator} $1::{evidence.column_type}"
    else:
        text = f"-- $1 bound in the column's own type\nWHERE {column} {operator} $1"
    return (
        Recommendation(
            kind="rewrite",
            language="sql",
            title=f"Compare {evidence.column} in its own type",
            text=text,
            verified_by="rule",
            risk=f"A value that is no {evidence.column_type or 'value of that type'} becomes an error, where the comparison as {evidence.cast_to} found nothing.",
        ),
    )


@recommend_for_text.register
def _not_exists(
    evidence: NotInSubqueryEvidence, _catalog: Catalog | None
) -> tuple[Recommendation, ...]:
    """NOT EXISTS, and the index that its join needs."""
    if evidence.rewritten_sql is None:
        return ()
    column = f"{evidence.excluded_table}.{evidence.excluded_column}"
    nulls = (
        f"NULLs in {column} no longer turn the result empty; rows" if evidence.nullable else "Rows"
    )
    return (
        Recommendation(
            kind="rewrite",
            language="sql",
            title="Ask with NOT EXISTS, which is planned as an anti join",
            text=f"{evidence.rewritten_sql};",
            verified_by="rule",
            risk=f"{nulls} whose own {evidence.column} is NULL are returned: add AND {quote_identifier(evidence.column)} IS NOT NULL where it can be.",
        ),
    )


@recommend_for_text.register
def _array(evidence: LargeInListEvidence, _catalog: Catalog | None) -> tuple[Recommendation, ...]:
    """One array parameter instead of the list."""
    rewritten = with_arrays(evidence.sql)
    if rewritten == evidence.sql:
        return ()
    return (
        Recommendation(
            kind="rewrite",
            language="sql",
            title="Pass the keys as one array",
            text=f"{rewritten};",
            verified_by="rule",
            risk="The driver has to bind an array of the column's type; where it binds text, write $1::bigint[] or the like.",
            effect={"parameters_before": evidence.items.median, "parameters_after": 1},
        ),
    )


@recommend_for_text.register
def _picking(
    evidence: OrderByRandomEvidence, _catalog: Catalog | None
) -> tuple[Recommendation, ...]:
    """Rows from a random key on, and a sample of the table where it is large."""
    made = []
    table, count = quote_table(evidence.table), evidence.limit or 1
    if evidence.key is not None:
        key = quote_identifier(evidence.key)
        made.append(
            Recommendation(
                kind="rewrite",
                language="sql",
                title=f"Begin at a random {evidence.key}, by the primary key's index",
                text=_FROM_KEY.format(
                    table=table,
                    key=key,
                    count=count,
                    conditions="  -- AND the statement's own conditions\n"
                    if evidence.filtered
                    else "",
                ),
                verified_by="rule",
                risk="Rows behind gaps come more often, several rows are neighbours, and near the end fewer may come.",
            )
        )
    large = evidence.table_rows is not None and evidence.table_rows >= _MANY_ROWS
    if not evidence.filtered and (large or evidence.key is None):
        percent = 1.0 if evidence.table_rows is None else _percent(evidence.table_rows, count)
        made.append(
            Recommendation(
                kind="rewrite",
                language="sql",
                title="Sort a sample instead of the table",
                text=_FROM_SAMPLE.format(table=table, percent=percent, count=count),
                verified_by="rule",
                risk="SYSTEM samples whole pages, so that rows come in groups, and few or none of a small table; BERNOULLI samples rows and reads every page.",
            )
        )
    return tuple(made)


def _percent(rows: int, count: int) -> float:
    """A share of the table, in percent, that has some hundred times the rows that are wanted, of pages enough not to be none."""
    return min(100.0, max(0.01, round(100.0 * max(_SAMPLED, 100 * count) / rows, 2)))


def _key(expression: str) -> str:
    """An index key: expressions that are no function call need brackets of their own."""
    name, bracket, _ = expression.partition("(")
    is_name = name.replace("_", "a").isalnum() and name != "EXTRACT"
    if _is_one_bracket(expression[len(name) :]) and (is_name or not name):
        return expression
    return expression if not bracket else f"({expression})"


def _is_one_bracket(text: str) -> bool:
    """Whether a text begins with a bracket that is closed at its end."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place == len(text) - 1 and character == ")"
    return False
