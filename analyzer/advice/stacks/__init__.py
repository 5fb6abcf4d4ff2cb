"""Which application stacks an input shows: each one file, registered in STACKS."""

from collections.abc import Callable, Sequence

from analyzer.advice.stacks._base import (
    COUNT,
    EXISTS,
    FEW,
    ROWS,
    Code,
    Columns,
    Counted,
    Inserts,
    Lookup,
    Loop,
    Page,
    Stack,
)
from analyzer.advice.stacks.django import Django
from analyzer.advice.stacks.prisma import Prisma
from analyzer.advice.stacks.rails import Rails
from analyzer.advice.stacks.sequelize import Sequelize
from analyzer.advice.stacks.sqlalchemy import SqlAlchemy
from analyzer.advice.stacks.typeorm import TypeOrm
from analyzer.model.finding import Effect, Recommendation
from analyzer.model.statement import Kind, Role
from analyzer.model.workload import Workload
from analyzer.patterns import regex
from analyzer.records import record

__all__ = [
    "COUNT", "EXISTS", "FEW", "ROWS", "STACKS",
    "Code", "Columns", "Counted", "Inserts", "Lookup", "Loop", "Page", "Recognised", "Stack", "Stacks",
]  # fmt: skip

STACKS: tuple[Stack, ...] = (Prisma(), Django(), SqlAlchemy(), Rails(), TypeOrm(), Sequelize())

_SURE_ENOUGH = 0.5
_READ = 400  # statements that are looked at, those with most time first
_LONGEST = 6_000  # characters of one
_TAGGED = 0.97
_FORMAT = 0.95
_TABLE = 0.8
_APPLICATION = 0.6
_SCHEMA = 0.6  # a schema.prisma: the team has it, whoever sends a statement
_ELSEWHERE = 0.5  # how much other statements of the run count for one that shows nothing itself
_KINDS = (Kind.SELECT, Kind.INSERT, Kind.UPDATE, Kind.DELETE)
_WRITES = ("INSERT", "UPDATE", "DELETE")
_NO_TAG = regex(r"(?!)")


@record
class Recognised:
    """A stack with how sure it is (0..1) and what shows it."""

    stack: Stack
    confidence: float
    evidence: tuple[str, ...]

    @property
    def because(self) -> str:
        """The evidence in a sentence."""
        return f"{self.stack.name} ({self.confidence:.0%} sure): {'; '.join(self.evidence)}"

    def recommendation(
        self,
        code: Code,
        effect: Effect,
    ) -> Recommendation:
        """A stack's code as a recommendation."""
        return Recommendation(
            kind="orm",
            language=self.stack.id,
            title=code.title,
            text=code.text,
            verified_by="rule",
            risk=code.risk,
            effect=effect,
            because=f"{self.because}; {code.names}",
        )


class Stacks:
    """What a workload shows of stacks; asked for each finding."""

    def __init__(self, workload: Workload) -> None:
        self._general = {stack.id: _general(stack, workload) for stack in STACKS}
        ours = [
            (statement.sql, stats.total_ms)
            for statement, stats in zip(workload.statements, workload.stats, strict=True)
            if statement.facts.kind in _KINDS and statement.facts.role is Role.WORKLOAD
        ]
        ours.sort(key=lambda pair: -pair[1])
        texts = [sql for sql, _ in ours[:_READ]]
        self._dialect = {stack.id: _dialect(stack, texts, "statements") for stack in STACKS}

    def of(self, texts: Sequence[str] = ()) -> tuple[Recognised, ...]:
        """The stacks that may have sent these statements (of the run, without any), surest first."""
        found = []
        for stack in STACKS:
            own, shown = (
                _dialect(stack, texts, "statements of this finding") if texts else (0.0, ())
            )
            general, why = self._general[stack.id]
            elsewhere, there = self._dialect[stack.id]
            if texts and own == 0:
                elsewhere *= _ELSEWHERE
            confidence = 1 - (1 - own) * (1 - general) * (1 - elsewhere)
            if confidence >= _SURE_ENOUGH:
                evidence = tuple(dict.fromkeys([*why, *(shown or there)]))
                found.append(Recognised(stack, round(min(confidence, 0.99), 2), evidence))
        found.sort(key=lambda one: -one.confidence)
        # What is far less sure than the best would only be in the way.
        return tuple(one for one in found if one.confidence >= found[0].confidence - 0.4)

    def written(
        self,
        texts: Sequence[str],
        fix: Callable[[Stack], Code | None],
        effect: Effect,
    ) -> tuple[Recommendation, ...]:
        """A fix as each stack that may have sent these statements writes it, surest first."""
        codes = ((one, fix(one.stack)) for one in self.of(texts))
        return tuple(one.recommendation(code, effect) for one, code in codes if code is not None)


def _dialect(stack: Stack, texts: Sequence[str], of: str) -> tuple[float, tuple[str, ...]]:
    """How sure the way of writing makes, and what was seen of it."""
    written = [text[:_LONGEST] for text in texts if text[:6].upper() in _WRITES]
    read = [text[:_LONGEST] for text in texts if text[:6].upper() not in _WRITES]
    doubt, evidence = 1.0, []
    for mark in stack.marks.dialect:
        some = written if mark.writes else read
        count = sum(mark.pattern.search(text) is not None for text in some)
        if count:
            # A dialect is written throughout; a few such statements may be anybody's.
            doubt *= 1 - mark.weight * min(1.0, 2 * count / len(some)) ** 0.5
            evidence.append(f"{mark.words} ({count} of {len(some)} {of})")
    return 1 - doubt, tuple(evidence)


def _general(stack: Stack, workload: Workload) -> tuple[float, tuple[str, ...]]:
    """How sure tags, names, tables and inputs make, and what was seen."""
    marks, doubt, evidence = stack.marks, 1.0, []
    tag = next(filter(None, map((marks.tags or _NO_TAG).search, workload.comments)), None)
    if tag is not None:
        doubt *= 1 - _TAGGED
        evidence.append(f"comments in statements ({tag[0][:40]})")
    for source in workload.coverage.sources:
        if marks.formats and source.format.startswith(marks.formats):
            doubt *= 1 - _FORMAT
            evidence.append(f"its query log ({source.path})")
            break
    named = next(
        (n for n in workload.applications if marks.applications and marks.applications.search(n)),
        None,
    )
    if named is not None:
        doubt *= 1 - _APPLICATION
        evidence.append(f"application_name {named[:40]}")
    seen = {table for one in workload.statements for table in one.facts.tables} & marks.tables
    if seen:
        doubt *= 1 - _TABLE
        evidence.append(f"its table {min(seen)}")
    if marks.models and workload.catalog and any(table.model for table in workload.catalog):
        doubt *= 1 - _SCHEMA
        evidence.append(f"a {marks.models}")
    return 1 - doubt, tuple(evidence)
