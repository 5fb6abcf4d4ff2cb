"""Results without end → portions and pages; rows fetched to be counted → count(*)."""

from analyzer.advice.stacks import Counted, Page, Stacks
from analyzer.model.evidence import CountByFetchingEvidence, UnboundedResultEvidence
from analyzer.model.finding import Recommendation
from analyzer.model.workload import Workload
from analyzer.patterns import regex
from analyzer.sql.count_rewrite import count_of

_PARAMETER = regex(r"\$(\d{1,5})")


def recommend_portions(
    evidence: UnboundedResultEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """A LIMIT for what is shown, a cursor for what has to be read to its end.

    Where one column is the table's primary key, as pages by it in each stack that the input shows, too.
    """
    highest = max((int(one) for one in _PARAMETER.findall(evidence.sql)), default=0)
    return (
        *_pages(evidence, workload, stacks),
        Recommendation(
            kind="rewrite",
            language="sql",
            title="Ask for one page where somebody looks at it",
            text=f"{evidence.sql}\nLIMIT ${highest + 1};",
            verified_by="rule",
            risk="without an ORDER BY over a unique key it is not said which rows a page has",
            effect={"rows_before": evidence.rows_per_call},
        ),
        Recommendation(
            kind="rewrite",
            language="sql",
            title="Read it in portions where every row is needed",
            text=(
                f"BEGIN;\nDECLARE portion NO SCROLL CURSOR FOR\n{evidence.sql};\n"
                "FETCH 1000 FROM portion; -- again, until no row comes\nCLOSE portion;\nCOMMIT;"
            ),
            verified_by="rule",
            risk="the transaction stays open as long as it is read",
            effect={"rows_before": evidence.rows_per_call, "rows_after": 1000},
        ),
    )


def _pages(
    evidence: UnboundedResultEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    table = workload.catalog.table(evidence.table) if workload.catalog else None
    if table is None or len(table.primary_key) != 1:
        return ()
    page = Page(table.name, table.primary_key[0], False, evidence.sql, workload.catalog)  # noqa: FBT003 - as the record has it
    effect = {"rows_before": evidence.rows_per_call}
    return stacks.written([evidence.sql], lambda stack: stack.page(page), effect)


def recommend_count(
    evidence: CountByFetchingEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """Count in the database: in each stack that the input shows, then in plain SQL."""
    counted = count_of(evidence.sql)
    if counted is None:
        return ()
    effect = {"rows_before": evidence.rows_per_call, "rows_after": 1}
    plain = Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Count {evidence.table} in the database",
        text=f"{counted};",
        verified_by="rule",
        risk="where only 'is there any' is asked, SELECT EXISTS (…) stops at the first row",
        effect=effect,
    )
    facts = workload.statement(evidence.shape_id).facts
    if evidence.table is None or len(facts.tables) > 1:
        return (plain,)
    asked = Counted(
        evidence.table,
        tuple(dict.fromkeys(one.column for one in facts.predicates)),
        evidence.sql,
        workload.catalog,
        workload.call(evidence.shape_id),
    )
    return (*stacks.written([evidence.sql], lambda stack: stack.count(asked), effect), plain)
