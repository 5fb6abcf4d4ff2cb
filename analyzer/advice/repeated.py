"""Repeated lookups → one statement for all keys; repeated queries → keep the answer."""

from analyzer.advice.stacks import uses_prisma
from analyzer.model.evidence import RepeatedLookupEvidence, RepeatedQueryEvidence
from analyzer.model.finding import Recommendation
from analyzer.model.workload import Workload
from analyzer.sql.rewrite import batch


def recommend_lookup(
    evidence: RepeatedLookupEvidence, workload: Workload
) -> tuple[Recommendation, ...]:
    """Ask once for all keys."""
    statement = next(one for one in workload.statements if one.shape_id == evidence.shape_id)
    table = workload.catalog.table(evidence.child_table) if workload.catalog else None
    for column in evidence.lookup_columns:
        unique = table.is_unique(frozenset([column])) if table else column in ("id", "uuid")
        made = batch(statement.sql, column, statement.facts, unique=unique)
        if made is not None:
            return (
                Recommendation(
                    kind="rewrite",
                    language="sql",
                    title=f"Collect the keys and load {evidence.child_table} once",
                    text=f"-- ${made.array}: array of all values of {column} that the loop asks for\n{made.sql};",
                    verified_by="rule",
                    risk=f"one larger statement: split the array for thousands of keys; {made.note}",
                    effect={
                        "round_trips_before": evidence.per_occurrence.median,
                        "round_trips_after": 1,
                    },
                ),
            )
    return ()


_MEMO_TYPESCRIPT = """\
// one per request: create it where the request begins and hand it on
export function memo<T>() {
  const known = new Map<string, Promise<T>>();
  return (key: string, load: () => Promise<T>): Promise<T> => {
    const found = known.get(key) ?? load();
    known.set(key, found);
    return found;
  };
}
// const once = memo<Row | null>();
// const row = await once(JSON.stringify(parameters), () => runTheQuery(parameters));"""

_MEMO_PYTHON = '''\
class Once:
    """Keeps the answers of one request: create it where the request begins and hand it on."""

    def __init__(self):
        self._known = {}

    def __call__(self, load, *parameters):
        key = (load, parameters)
        if key not in self._known:
            self._known[key] = load(*parameters)
        return self._known[key]

# once = Once()
# row = once(run_the_query, parameter)'''


def recommend_memo(
    evidence: RepeatedQueryEvidence, workload: Workload
) -> tuple[Recommendation, ...]:
    """Keep the answer for the length of the unit of work."""
    prisma = uses_prisma(workload)
    return (
        Recommendation(
            kind="cache",
            language="typescript" if prisma else "python",
            title="Run it once per request and keep the answer",
            text=_MEMO_TYPESCRIPT if prisma else _MEMO_PYTHON,
            verified_by="rule",
            risk="within the request the answer no longer follows writes made after the first read",
            effect={
                "round_trips_before": evidence.per_occurrence.median,
                "round_trips_after": evidence.distinct_parameters,
            },
        ),
    )
