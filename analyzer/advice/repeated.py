"""Repeated lookups → one statement for all keys; repeated queries → keep the answer."""

from analyzer.advice.batching import is_unique, recommend_rewrite, rewritten
from analyzer.advice.stacks import Lookup, Stacks
from analyzer.advice.stacks._prisma_calls import call_of
from analyzer.model.evidence import RepeatedLookupEvidence, RepeatedQueryEvidence
from analyzer.model.finding import Recommendation, round_trips
from analyzer.model.workload import Workload


def recommend_lookup(
    evidence: RepeatedLookupEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """Ask once for all keys: in each stack that the input shows, then in plain SQL."""
    statement = workload.statement(evidence.shape_id)
    columns = evidence.lookup_columns
    effect = round_trips(evidence.per_occurrence.median)
    made: tuple[Recommendation, ...] = ()
    if len(columns) == 1 and evidence.child_table:
        unique = is_unique(statement, columns, workload)
        asked = Lookup(
            evidence.child_table, columns[0], unique, evidence.sql, workload.catalog,
            workload.call(evidence.shape_id),
        )  # fmt: skip
        made = stacks.written([evidence.sql], lambda stack: stack.lookup(asked), effect)
    plain = recommend_rewrite(
        rewritten(statement, columns, evidence.examples, workload),
        f"Collect the keys and load {evidence.child_table} once",
        f"all values of {', '.join(columns)} that the loop asks for",
        effect,
    )
    return (*made, plain)


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

_MEMO_RUBY = """\
# one per request: ActiveSupport::CurrentAttributes, or hand it on
class Once
  def initialize = @known = {}

  def call(*key) = @known.fetch(key) { @known[key] = yield }
end

# once = Once.new
# row = once.call(:the_query, parameter) { run_the_query(parameter) }"""
_MEMOS = {"typescript": _MEMO_TYPESCRIPT, "python": _MEMO_PYTHON, "ruby": _MEMO_RUBY}


def recommend_memo(
    evidence: RepeatedQueryEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """Keep the answer for the length of the unit of work, in the language of the surest stack."""
    seen = stacks.of([evidence.sql])
    language = seen[0].stack.memo if seen else "python"
    text, call = _MEMOS[language], call_of(workload.call(evidence.shape_id))
    if call is not None and seen and seen[0].stack.id == "prisma":
        text = text.replace("parameters", "query").replace("runTheQuery", call.written)
    return (
        Recommendation(
            kind="cache",
            language=language,
            title="Run it once per request and keep the answer",
            text=text,
            verified_by="rule",
            risk="within the request the answer no longer follows writes made after the first read",
            effect=round_trips(evidence.per_occurrence.median, evidence.distinct_parameters),
            because=seen[0].because if seen else "no stack was recognised: Python stands for any",
        ),
    )
