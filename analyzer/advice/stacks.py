"""Which application stack the input shows."""

from analyzer.model.workload import Workload


def uses_prisma(workload: Workload) -> bool:
    """Whether the log, the comments or the schema are Prisma's."""
    if workload.catalog and any(table.model for table in workload.catalog):
        return True
    if any(source.format.startswith("prisma") for source in workload.coverage.sources):
        return True
    if any("prismaQuery=" in comment for comment in workload.comments):
        return True
    # Every Prisma SELECT names columns "schema"."table"."column" and ends in OFFSET $n.
    styled = sum('"."' in one.sql and " OFFSET $" in one.sql for one in workload.statements)
    selects = sum(one.facts.kind == "select" for one in workload.statements)
    return selects > 0 and styled >= 0.5 * selects
