"""A real Prisma 7 program on a real server, read from PostgreSQL's log and from Prisma's own events."""

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prisma_program import Program, Ran, prepare

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.statement import Kind, Role
from analyzer.pipeline import Options, Result, run

if TYPE_CHECKING:
    from tests.conftest import Server

Loop = tuple[str | None, str | None, tuple[str, ...], float, float]
LOOPS: list[Loop] = [
    ("authors", "books", ("author_id",), 12, 12),
    ("authors", "publishers", ("id",), 12, 12),
    ("books", "reviews", ("book_id",), 36, 3),
]
INCLUDE = re.compile(r"prisma\.(\w+)\.findMany\(\{.*?(include: \{.*?\}),\n", re.DOTALL)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program with the client that most teams have."""
    return prepare(tmp_path_factory.mktemp("prisma") / "prisma")


@pytest.fixture(scope="module")
def joining(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program with a client that may join relations, whose SQL is another."""
    return prepare(tmp_path_factory.mktemp("prisma") / "prisma_joins", "relationJoins")


@pytest.fixture(scope="module")
def lazily(shop: Program, postgres15: "Server") -> Ran:
    return shop.run(postgres15, "lazily")


def analysed(log: Path, program: Program, *, schema: bool = True) -> Result:
    return run(Options(inputs=[str(log)], schema=str(program.schema) if schema else None))


def assert_loops(found: list[Loop]) -> None:
    """All of LOOPS; of N a few may be missing: a busy machine stalls the program as requests' ends do.

    That N is right within one where nothing stalls is held on captures (test_n_plus_one.py).
    """
    assert [loop[:3] for loop in found] == [loop[:3] for loop in LOOPS]
    for (*_, many, each), (*_, wanted_many, wanted_each) in zip(found, LOOPS, strict=True):
        assert 0.75 * wanted_many <= many <= wanted_many
        assert 0.75 * wanted_each - 1 <= each <= wanted_each


def loops(result: Result) -> list[Loop]:
    """Parent, child, what the child is looked up by, and N (in the run and per parent) of each."""
    found = []
    for finding in result.findings:
        shown = finding.evidence
        assert isinstance(shown, NPlusOneEvidence)
        many, each = shown.children_per_occurrence.median, shown.children_per_parent.median
        assert (shown.occurrences, shown.executions) == (1, many)
        found.append((shown.parent_table, shown.child_table, shown.lookup_columns, many, each))
    return sorted(found)


@pytest.mark.parametrize("source", ["log", "events"])
@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
def test_lazy_loading_is_found_at_every_level(
    lazily: Ran, shop: Program, source: str, *, schema: bool
) -> None:
    assert_loops(loops(analysed(getattr(lazily, source), shop, schema=schema)))


@pytest.mark.parametrize("client", ["default", "joins"])
def test_loops_over_a_pool_that_opens_its_connections_meanwhile(client: str) -> None:
    """What shop.ts did at once (`at-once`), captured: three loops in one, over ten new connections."""
    log = Path(__file__).parents[1] / "data" / "prisma" / "parallel" / f"{client}.log"
    found = loops(run(Options(inputs=[str(log)])))
    assert [loop for loop in found if loop[0] == "authors"] == LOOPS[:2]
    assert {loop[:2] for loop in found} <= {loop[:2] for loop in LOOPS}


def test_loops_that_run_at_once_are_found_in_events(shop: Program, postgres15: "Server") -> None:
    found = loops(analysed(shop.run(postgres15, "at-once").events, shop))
    # Which book a review is of cannot be told from when it was asked for.
    assert [loop[:4] for loop in found] == [loop[:4] for loop in LOOPS]


def test_lazy_loading_is_found_in_the_dialect_with_joins(
    joining: Program, postgres15: "Server"
) -> None:
    ran = joining.run(postgres15, "lazily")
    for log in (ran.log, ran.events):
        assert_loops(loops(analysed(log, joining)))


@pytest.mark.parametrize(
    ("client", "how", "tables"),
    [
        ("shop", "eagerly", [("authors",), ("publishers",), ("books",), ("reviews",)]),
        ("shop", "batched", [*[("authors",)] * 3, ("publishers",), ("books",), ("reviews",)]),
        ("joining", "joined", [("authors", "publishers", "books", "reviews")]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("source", ["log", "events"])
def test_eager_loading_is_clean(
    request: pytest.FixtureRequest, postgres15: "Server", lazily: Ran,
    client: str, how: str, tables: list[tuple[str, ...]], source: str,
) -> None:  # fmt: skip
    program: Program = request.getfixturevalue(client)
    ran = program.run(postgres15, how)
    assert ran.seen == lazily.seen
    result = analysed(getattr(ran, source), program)
    read = [
        tuple(sorted(statement.facts.tables))
        for statement in result.workload.statements
        if (statement.facts.kind, statement.facts.role) == (Kind.SELECT, Role.WORKLOAD)
    ]
    assert sorted(read) == sorted(tuple(sorted(some)) for some in tables)
    assert not result.findings
    for name in ("n-plus-one", "repeated-lookup", "repeated-query"):
        assert result.outcomes[name].status == "clean"


def test_what_is_recommended_ends_each_loop_and_loads_the_same_rows(
    shop: Program, postgres15: "Server", lazily: Ran
) -> None:
    findings = analysed(lazily.log, shop).findings
    advice = {}
    for finding in findings:
        shown, code = finding.evidence, INCLUDE.search(finding.recommendations[0].text)
        assert isinstance(shown, NPlusOneEvidence)
        assert code
        advice[shown.parent_table, shown.child_table] = code.groups()
    assert sorted(advice) == [loop[:2] for loop in LOOPS]
    for loop in LOOPS:  # each alone: the others stay
        ran = shop.run(postgres15, "lazily", *advice[loop[:2]])
        assert ran.seen == lazily.seen
        left = [(parent, child) for parent, child, *_ in loops(analysed(ran.log, shop))]
        assert loop[:2] not in left
    ran = shop.run(postgres15, "lazily", *itertools.chain.from_iterable(advice.values()))
    assert ran.seen == lazily.seen
    assert not analysed(ran.log, shop).findings
