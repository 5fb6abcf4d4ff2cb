"""Plans that are made with a way of working switched off.

What it finds
    A node that is disabled and was used all the same, or a plan with enable_… = off among its settings.

Why it hurts
    A setting that was meant for one experiment stays in a role, a database or a connection string, and
    forbids the best plan for all other statements.

How it decides
    "Disabled: true" (PostgreSQL 18), a cost of 10^10 or more (before), or Settings. One finding for a plan, also for one that
    was only estimated. An info.

When it is wrong
    The statement's own SET LOCAL, or pg_hint_plan, does it on purpose; PostgreSQL 18 may have had no other way.

What to do
    Find where it is set (pg_settings, pg_db_role_setting) and RESET it.
"""

from collections.abc import Iterator

from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

COST = 1e10


@record
class DisabledFigures(PlanFigures):
    """Settings that are off, and types of nodes that were used although disabled."""

    settings: tuple[str, ...]
    used: tuple[str, ...]


class DisabledNode(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "disabled-node"
    gate = Gate.ANY

    def of(self, view: PlanView) -> Iterator[Spot]:
        """A plan made under prohibitions."""
        values = view.plan.settings.items()
        off = tuple(
            sorted(name for name, value in values if name.startswith("enable_") and value == "off")
        )
        own = [
            node
            for node in view.nodes
            if ((node.total_cost or 0.0) >= COST and _starts_here(node))
            or node.extra.get("Disabled") is True
        ]
        if not off and not own:
            return
        used = tuple(dict.fromkeys(node.type for node in own))
        names = ", ".join(off)
        yield Spot(
            node=own[0] if own else view.plan.root,
            cost_ms=0.0,
            title=f"The plan was made with {names} off"
            if off
            else f"{', '.join(used)} was disabled, and used all the same",
            reasons=(f"used although disabled: {', '.join(used)}",)
            if used
            else ("other ways of working were not considered",),
            figures=DisabledFigures(off, used),
            subject=off or used,
            remedies=(
                Rewrite(
                    "Find out where it is set",
                    "SELECT name, setting, source, sourcefile FROM pg_settings WHERE name LIKE 'enable\\_%' AND setting = 'off';\n"
                    "SELECT setdatabase, setrole::regrole, setconfig FROM pg_db_role_setting;",
                    "Reading only. ALTER ROLE … RESET and ALTER DATABASE … RESET change plans of other statements, too.",
                    kind="setting",
                ),
            ),
            confidence=0.9,
            severity=Severity.INFO,
        )


def _starts_here(node: PlanNode) -> bool:
    """Whether none of the nodes below has a cost that says disabled, too."""
    return all((child.total_cost or 0.0) < COST for child in node.children)
