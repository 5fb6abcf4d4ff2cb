"""What a detector of plans is: a rule that looks at nodes, or at a plan as a whole.

`PlanFinder` (_plan_search.py) walks each plan once, asks every rule about the nodes it is interested
in, lists consequences under their cause, and makes findings of what is left.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from enum import Enum
from typing import ClassVar, Protocol

from analyzer.detectors._plan_view import PlanView
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.finding import Outcome, Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Remedy
from analyzer.model.workload import Workload
from analyzer.records import changing, record


class Gate(Enum):
    """When a rule is asked at all, so that plans which are quick cost nothing."""

    HOT = "hot"  # executed nodes whose own time matters
    SLOW = "slow"  # executed nodes of plans whose time matters
    EXECUTED = "executed"  # executed nodes of any plan
    ANY = "any"  # also nodes of plans that were only estimated


@record
class Spot:
    """Trouble at one node of one plan.

    `cost_ms` is the time it takes of this execution, `title` and `reasons` say it in names and
    figures (no values of conditions). `subject` tells it apart from others of the same statement, and lasts from
    run to run: tables, columns. `condition` is the text of the plan that is to blame. `covers`
    are the nodes whose trouble it explains (besides its own), `severity` overrides what follows
    from the cost, and `spared` is the part (0..1) of the cost that a remedy is expected to spare.
    `shared`: what helps is the same for all statements with this table and subject (one index), so
    they are one finding.
    """

    node: PlanNode
    cost_ms: float
    title: str
    reasons: tuple[str, ...]
    figures: PlanFigures
    subject: tuple[str, ...] = ()
    table: str | None = None
    condition: str | None = None
    remedies: tuple[Remedy, ...] = ()
    confidence: float = 0.9
    severity: Severity | None = None
    covers: frozenset[int] = frozenset()
    spared: float = 0.0
    wrong_result: bool = False
    shared: bool = False
    scan: Callable[[], SeqScanEvidence] | None = None  # makes that of detectors of sequential scans


class Finder(Protocol):
    """What runs rules over all plans of a workload, once for all of them."""

    def outcome(self, rule_id: str, workload: Workload) -> Outcome:
        """The answer of one rule."""
        ...


class PlanRule:
    """A detector of plans: a NodeRule or a WholePlanRule; each module of detectors/plans/ has one.

    `explains` are the ids of rules whose spots, on nodes that a spot of this rule covers, are its
    consequences. Rules are asked in the order of their registration.
    """

    id: str
    gate: ClassVar[Gate] = Gate.HOT
    explains: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, finder: Finder | None = None) -> None:
        self._finder = finder

    def detect(self, workload: Workload) -> Outcome:
        """Findings over all plans, or not-applicable where the input has none to judge."""
        if self._finder is None:
            from analyzer.detectors._plan_search import PlanFinder  # noqa: PLC0415 - it knows rules, they not it

            self._finder = PlanFinder((self,))
        return self._finder.outcome(self.id, workload)


class NodeRule(PlanRule, ABC):
    """A rule about nodes of the types that `nodes` names."""

    nodes: ClassVar[frozenset[str]]

    @abstractmethod
    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """The trouble at a node, None where there is none."""


class WholePlanRule(PlanRule, ABC):
    """A rule about plans as a whole."""

    @abstractmethod
    def of(self, view: PlanView) -> Iterator[Spot]:
        """The trouble of a plan."""

    def across(self, views: Sequence[PlanView]) -> Iterator[tuple[PlanView, Spot]]:
        """The trouble that plans show together, each on the plan that shows it best."""
        del views
        return iter(())


@changing
class Found:
    """A spot with its plan and rule, and what was listed under it."""

    rule: PlanRule
    view: PlanView
    spot: Spot
    consequences: "list[Found]" = field(default_factory=list)

    @property
    def cost_ms(self) -> float:
        """Its own cost, or that of its worst consequence; consequences may overlap."""
        if not self.consequences:
            return self.spot.cost_ms
        return max(self.spot.cost_ms, *(one.cost_ms for one in self.consequences))
