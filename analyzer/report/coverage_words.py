"""How much of the real traffic an input shows, in sentences."""

from typing import Any

from analyzer.report.formats import count, ms, one_line, percent, plural, size
from analyzer.report.values import Document


def coverage_sentences(document: Document) -> list[str]:
    """How much of the real traffic the input shows, most important first."""
    coverage = document["coverage"]
    sentences = [_seen(coverage)]
    if coverage["log_min_duration_ms"]:
        how = "inferred from the log" if coverage.get("log_min_duration_inferred") else "as set"
        sentences.append(
            f"Statements under {ms(coverage['log_min_duration_ms'])} are not logged ({how})."
        )
    if coverage["sampling"]:
        sentences.append(_sampled(coverage["sampling"]))
    sentences.append(_understood(coverage))
    return [sentence for sentence in sentences if sentence]


def _sampled(sampling: dict[str, Any]) -> str:
    """What a log was drawn from, and that its figures are weighted."""
    drawn = {"statement": "statements", "transaction": "transactions"}
    what = drawn.get(str(sampling.get("by")), "statements and of transactions")
    rate, threshold, floor = (sampling.get(name) for name in ("rate", "threshold_ms", "floor_ms"))
    text = f"The log is a sample of {what}" + ("" if rate is None else f", {percent(rate)}")
    limits = [f"from {ms(floor)} on"] if floor else []
    limits += [f"below {ms(threshold)}"] if threshold is not None else []
    text += f" {' and '.join(limits)}" if limits else ""
    known = one_line(str(sampling.get("known_from", "")))
    return f"{text} (known from the {known}); figures are weighted."


def _seen(coverage: dict[str, Any]) -> str:
    executions, calls = coverage["executions"], coverage.get("calls") or 0
    if executions == 0 and calls:
        return f"Counters only: {plural(calls, 'call')}, no single execution was seen."
    if executions == 0:
        return "No execution was seen."
    if executions < calls:
        share = percent(executions / calls)
        return f"{share} of executions seen: {count(executions)} of {plural(calls, 'call')}."
    return f"{plural(executions, 'execution')} seen."


def _understood(coverage: dict[str, Any]) -> str:
    sources = coverage["sources"]
    failed = sum(1 for source in sources if source.get("failure"))
    all_bytes = sum(source["bytes"] for source in sources)
    unread = sum(source["bytes_unparsed"] for source in sources)
    text = f"{plural(len(sources), 'input')}, {size(all_bytes)}"
    if unread:
        lines = coverage["unparsed_lines"]
        text += f", {percent(1 - unread / max(all_bytes, unread))} of it understood"
        text += f" ({plural(lines, 'line')} not)" if lines else ""
    elif all_bytes:
        text += ", all of it understood"
    return text + (f"; {failed} could not be read." if failed else ".")
