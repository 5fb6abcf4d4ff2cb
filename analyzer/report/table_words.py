"""What is known of tables, in words."""

from typing import Any

from analyzer.report.formats import count, moment, plural
from analyzer.report.values import Document


def counted_sentence(document: Document) -> str:
    """Over which time reads, writes and scans of tables were counted, and where."""
    counted = document.get("tables_counted")
    if not counted:
        return "Reads and writes are executions of statements; a server's counts need --dsn or snapshots."
    begun = {
        "snapshot": f"between the snapshots of {moment(counted['from'])} and {moment(counted['to'])}",
        "reset": f"since the statistics began on {moment(counted['from'])}",
    }.get(counted["since"], "since the database was made")
    missed = max(0, counted["replicas"] - len(counted["replicas_read"]))
    where = f", without {plural(missed, 'replica')}" if missed else ""
    where += ", on a replica" if counted["in_recovery"] else ""
    return f"Reads, writes and scans are the server's counts {begun}{where}."


def vacuum_phrase(table: dict[str, Any]) -> str:
    """When a table was vacuumed and analysed last, and how old its oldest rows are; else nothing."""
    use = table.get("use")
    if not use:
        return ""
    parts = [
        f"vacuumed {moment(use['vacuumed']) if use['vacuumed'] else 'never'}",
        f"analysed {moment(use['analyzed']) if use['analyzed'] else 'never'}",
    ]
    if use.get("xid_age") is not None:
        parts.append(f"oldest rows {count(use['xid_age'])} transactions")
    return ", ".join(parts)
