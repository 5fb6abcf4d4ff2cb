"""The shop's report in every state that is designed for, for the report's tests.

The shop itself is in shop.py beside this file, loaded by its path: test folders are no packages.
"""

import copy
import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from analyzer.model.coverage import Coverage, SourceCoverage
from analyzer.model.finding import Outcome, Status
from analyzer.model.target import RequestVerdict, Verdict
from analyzer.report.views.html import render

if TYPE_CHECKING:
    from types import ModuleType

Facts = Any  # shop.Facts
Options = Any
ADDRESS = "https://report.invalid/report.html"
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def _load(name: str) -> "ModuleType":
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"report_{name}", path)
    if spec is None or spec.loader is None:
        pytest.fail(f"{path} cannot be loaded", pytrace=False)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


_load("summing")
shop = _load("shop")


def without_executions(facts: Facts) -> None:
    """Take every execution, and what follows from them, out of the facts."""
    facts.executions, facts.requests = facts.executions.iloc[:0], facts.requests.iloc[:0]
    facts.workload = replace(facts.workload, request_verdict=None, events={})


def no_findings(facts: Facts) -> None:
    names = ("n-plus-one", "repeated-query", "selective-seq-scan")
    facts.findings, facts.indexes = (), None
    facts.outcomes = {name: Outcome(Status.CLEAN) for name in names}
    met = Verdict(41.5, 41.5, 41.5, "exact", "met", 4_080, "every execution is in the input")
    facts.workload = replace(
        facts.workload, verdict=met, request_verdict=RequestVerdict("trace", met, 3.0), plans=()
    )


def counters_only(facts: Facts) -> None:
    without_executions(facts)
    stats = [
        replace(s, p50_ms=None, p95_ms=None, p99_ms=None, p95_low_ms=None, p95_high_ms=410.0,
                method="bound", samples=0, histogram=(), requests=None, calls_per_request_p95=None,
                rows=s.calls * 3, query_ids=("-81726354",))
        for s in facts.workload.stats
    ]  # fmt: skip
    reason = "counters hold no distribution; a log of all executions would give the exact figure"
    facts.workload = replace(
        facts.workload, stats=stats, plans=(),
        verdict=Verdict(88.1, 14.0, 410.0, "estimated", "unknown", 4_320, reason),
        coverage=Coverage([SourceCoverage("pgss.csv", "pg_stat_statements", bytes=20_000, entries=7)]),
    )  # fmt: skip
    why = "needs single executions: counters do not show which statements ran together"
    facts.findings, facts.indexes = (), None
    facts.outcomes = {
        "n-plus-one": Outcome(Status.NOT_APPLICABLE, reason=why),
        "repeated-query": Outcome(Status.NOT_APPLICABLE, reason=why),
        "write-loop": Outcome(Status.ERROR, reason="KeyError: 'session'"),
    }


def plans_only(facts: Facts) -> None:
    without_executions(facts)
    facts.findings, facts.indexes = (shop.seq_scan(),), None
    facts.outcomes = {"selective-seq-scan": Outcome(Status.FOUND, (shop.seq_scan(),))}
    facts.workload = replace(
        facts.workload, statements=(), stats=(), catalog=None,
        verdict=Verdict(None, None, None, "none", "unknown", 0, "no executions were seen"),
        coverage=Coverage([SourceCoverage("plan.json", "explain-json", bytes=900, entries=1, plans=1)]),
    )  # fmt: skip


def censored(facts: Facts) -> None:
    reason = "executions faster than 100 ms are not in the log: the P95 of the rest bounds it"
    facts.workload.coverage.log_min_duration_ms = 100.0
    facts.workload.coverage.log_min_duration_inferred = True
    frame = facts.executions[facts.executions["duration_ms"] >= 100]
    facts.executions, facts.requests = frame, facts.requests.iloc[:0]
    seen = frame["statement"].value_counts()
    stats = [
        replace(one, samples=int(seen.get(n, 0))) for n, one in enumerate(facts.workload.stats)
    ]
    facts.workload = replace(
        facts.workload, stats=stats, request_verdict=None,
        verdict=Verdict(None, 0.0, 530.0, "bound", "unknown", len(frame), reason),
    )  # fmt: skip
    facts.findings, facts.indexes = (), None
    why = "the log leaves out statements under 100 ms, and an N+1's children are faster"
    facts.outcomes = {"n-plus-one": Outcome(Status.NOT_APPLICABLE, reason=why)}


def many(facts: Facts) -> None:
    """5,000 statements."""
    first = facts.workload.stats[0]
    statements = [
        shop.statement(
            f"{n:016x}.1", f"SELECT * FROM t{n} WHERE id = $1 AND {'x' * (n % 700)} > $2", ()
        )
        for n in range(5_000)
    ]
    stats = [replace(first, total_ms=9_000.0 - n, calls=10 + n) for n in range(5_000)]
    facts.workload = replace(
        facts.workload, statements=statements, stats=stats, plans=(), catalog=None
    )


def huge_and_foreign(facts: Facts) -> None:
    """One statement of 200 KB, one in Hebrew and emoji, one of right-to-left marks."""
    in_list = ", ".join(f"${n}" for n in range(1, 30_000))
    odd = (
        f"SELECT * FROM orders WHERE id IN ({in_list})",
        'SELECT "שם", "מחיר" FROM "מוצרים" WHERE "שם" = $1 /* 🛒🧾 */ AND "🏷️" > $2',
        "SELECT 1 AS \u202eevil\u202c FROM t",
    )
    statements = list(facts.workload.statements)
    for position, sql in enumerate(odd):
        statements[position] = replace(statements[position], sql=sql)
    facts.workload = replace(facts.workload, statements=statements)


def one_statement(facts: Facts) -> None:
    """A workload of one statement, seen three times."""
    without_executions(facts)
    facts.findings, facts.indexes = (), None
    facts.outcomes = {"n-plus-one": Outcome(Status.CLEAN)}
    met = Verdict(4.2, 4.2, 4.2, "exact", "met", 3, "every execution is in the input")
    facts.workload = replace(
        facts.workload, statements=facts.workload.statements[:1], plans=(), verdict=met,
        stats=[replace(facts.workload.stats[0], calls=3, samples=3, total_ms=9.1)],
    )  # fmt: skip


STATES: dict[str, Callable[[Facts], None]] = {
    "full": lambda _facts: None,
    "no_findings": no_findings,
    "counters_only": counters_only,
    "plans_only": plans_only,
    "censored": censored,
    "one_statement": one_statement,
    "many": many,
    "huge_and_foreign": huge_and_foreign,
}


@pytest.fixture
def facts() -> Facts:
    """The shop: everything is there."""
    return shop.build_facts()


@pytest.fixture
def document(facts: Facts) -> dict[str, Any]:
    """The shop's report."""
    return facts.build()


@pytest.fixture
def make_facts() -> Callable[[], Facts]:
    """The builder, for tests that change the facts first."""
    return shop.build_facts


@pytest.fixture(params=STATES)
def state_document(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The report of each state that is designed for."""
    facts = shop.build_facts()
    STATES[request.param](facts)
    return facts.build()


@pytest.fixture
def document_of() -> Callable[[str], dict[str, Any]]:
    """The report of a state by its name."""

    def build(name: str) -> dict[str, Any]:
        facts = shop.build_facts()
        STATES[name](facts)
        return facts.build()

    return build


def _spoil(value: Any, hostile: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _spoil(item, hostile) for key, item in value.items()}
    if isinstance(value, list):
        return [_spoil(item, hostile) for item in value]
    return hostile + value if isinstance(value, str) else value


@pytest.fixture
def spoil() -> Callable[[Any, str], Any]:
    """Puts a hostile text before every text of a document."""
    return _spoil


def _job(document: dict[str, Any]) -> dict[str, Any]:
    """A queue's job as report.json has it."""
    spread = {"count": 9, "p50": 20.0, "p95": 90.0, "max": 120.0}
    shape = document["statements"][1]["shape_id"]
    repeated = [{"shape_id": shape, "executions": 30, "total_ms": 12.0}]
    return {
        "queue": "mail", "name": "welcome", "route": "job mail/welcome", "jobs": 9, "attempts": 20,
        "states": {"completed": 8, "failed": 1, "active": 0, "waiting": 0}, "with_statements": 9,
        **dict.fromkeys(("wait_ms", "run_ms", "database_ms", "round_trips"), spread),
        "database_total_ms": 300.0, "statements": [{"shape_id": shape, "total_ms": 300.0}],
        "loops": [document["findings"][1]["key"]], "origins": ["spans"],
        "retries": {"jobs": 5, "most_attempts": 3, "repeated_executions": 30, "repeated": repeated, "storm": True},
    }  # fmt: skip


def _board() -> dict[str, Any]:
    """The four promises of a night's report, one of each verdict."""
    row = {"method": "exact", "value": 1.0, "shown": "1", "trend": [{"verdict": "met"}]}
    metrics = [
        row | {"id": name, "name": title, "target": "0", "verdict": verdict, "first": first}
        for name, title, verdict, first in (
            ("p95", "Queries P95", "missed", "Index orders by reference"),
            ("cache-hit-rate", "Cache hit rate", "unknown", "give Redis' INFO"),
            ("failed-migrations", "Failed migrations", "met", None),
        )
    ]
    return {"metrics": metrics, "warnings": ["app.log: is nothing that tells of a cache"]}


@pytest.fixture
def remembered(document: dict[str, Any]) -> dict[str, Any]:
    """The shop's report beside a history: nights before, a finding that is gone, a slower statement."""
    made = copy.deepcopy(document)
    ms = {"value_ms": 120.0, "method": "exact", "verdict": "missed"}
    night = {
        "from": None,
        "to": made["window"]["from"],
        "kind": "nightly",
        "runs": 1,
        "client": None,
    }
    made["earlier"] = [
        night | {"what": what, "statements": ms, "request": ms} for what in ("last", "week")
    ]
    for place, finding in enumerate(made["findings"]):
        finding["status"] = ("new", "ongoing")[place % 2]
    lost = copy.deepcopy(made["findings"][0]) | {"key": "lost-1", "status": "gone", "evidence": {}}
    made["findings"].append(lost | {"recommendations": [], "title": "A loop that is gone"})
    made["trend"] = [
        {"from": f"2026-03-0{day}T00:00:00Z", "to": "", "calls": 9, "verdict": "met"}
        | dict.fromkeys(("p95_ms", "low_ms", "high_ms"), 40.0 + day)
        for day in (1, 2, 3)
    ]
    made["statement_trends"] = [
        {"shape_id": one["shape_id"], "target_ms": 42.0, "days": made["trend"]}
        for one in made["statements"][:2]
    ]
    one = {
        name: made["statements"][1][name] for name in ("shape_id", "lineage", "fingerprint", "sql")
    }
    figures = {"before_ms": 40.0, "after_ms": 100.0, "before_calls": 500, "after_calls": 600}
    made["changes"] = [one | figures | {"slower": True, "ratio": 2.5, "extra_ms": 3.0}]
    made["jobs"], made["scoreboard"] = [_job(made)], _board()
    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; a missing one is a failure that says what to install."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is needed and not on PATH: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield chromium
        chromium.close()


class Visit:
    """A page with everything it asked for, what of it got out, and what it complained about."""

    def __init__(self, context: BrowserContext, html: str) -> None:
        self.address = ADDRESS
        self.requests: list[str] = []
        self.sent: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

        def answer(route: Route) -> None:
            self.sent.append(route.request.url)
            if route.request.url.partition("#")[0] == ADDRESS:
                route.fulfill(body=html, content_type="text/html; charset=utf-8")
            else:
                route.abort()

        context.route("**/*", answer)
        self.page.goto(ADDRESS)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens a report: `visit(document, color_scheme=…, viewport=…)`."""
    contexts: list[BrowserContext] = []

    def open_page(document: dict[str, Any], html: str | None = None, **options: Options) -> Visit:
        context = browser.new_context(**options)
        contexts.append(context)
        return Visit(context, render(document) if html is None else html)

    yield open_page
    for context in contexts:
        context.close()
