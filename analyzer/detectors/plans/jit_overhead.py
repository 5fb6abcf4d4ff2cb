"""Compilation that costs more than it saves.

What it finds
    A plan that spends 20 % or more of its time, and 5 % of the target, in the just-in-time compiler.

Why it hurts
    Compiling takes tens to hundreds of milliseconds and is done anew for each execution, in each worker. It pays
    for statements that compute for seconds, and never for those that are to take 100 ms.

How it decides
    The JIT's total of the plan against the execution time. The planner compiles by estimated cost,
    so a cost that is estimated too high turns it on.

When it is wrong
    An analytic query that would take much longer without it.

What to do
    SET LOCAL jit = off for this statement; for a server of short statements, jit_above_cost
    higher or jit = off altogether.
"""

from collections.abc import Iterator, Mapping

from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Setting
from analyzer.records import record

SHARE = 0.2


@record
class JitFigures(PlanFigures):
    """What was compiled, and milliseconds of the compiler's phases."""

    functions: int
    generation_ms: float
    inlining_ms: float
    optimization_ms: float
    emission_ms: float


class JitOverhead(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "jit-overhead"
    gate = Gate.SLOW

    def of(self, view: PlanView) -> Iterator[Spot]:
        """A plan whose compilation matters."""
        timing = view.plan.jit.get("Timing")
        if not isinstance(timing, Mapping):
            return
        phases = [
            _ms(timing, name) for name in ("Generation", "Inlining", "Optimization", "Emission")
        ]
        total_ms = _ms(timing, "Total") or sum(phases)
        if total_ms < view.floor_ms or total_ms < SHARE * view.whole_ms:
            return
        functions = view.plan.jit.get("Functions")
        root = view.plan.root
        yield Spot(
            node=root,
            cost_ms=total_ms,
            title=f"{total_ms:,.0f} ms of {view.whole_ms:,.0f} ms go into just-in-time compilation",
            reasons=(
                f"inlining {phases[1]:.1f} ms, optimization {phases[2]:.1f} ms, emission {phases[3]:.1f} ms",
                f"the plan's estimated cost is {root.total_cost or 0:,.0f}; jit_above_cost is 100,000 by default",
            ),
            figures=JitFigures(
                int(functions) if isinstance(functions, int | float) else 0, *phases
            ),
            subject=("jit",),
            remedies=(
                Setting(
                    "jit",
                    "off",
                    "Leave out the compilation for this statement",
                    "Long computations lose what compilation saves; measure the statement both ways.",
                ),
            ),
            confidence=0.9,
            spared=0.9,
        )


def _ms(timing: Mapping[str, object], name: str) -> float:
    """A phase's time: a figure, or since PostgreSQL 17 an object with a total."""
    value = timing.get(name)
    if isinstance(value, Mapping):
        value = value.get("Total")
    return float(value) if isinstance(value, int | float) else 0.0
