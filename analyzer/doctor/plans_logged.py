"""Checks of auto_explain: whether plans of slow statements reach the log, and in which detail."""

from collections.abc import Iterator

from analyzer.doctor.remedies import Remedies, together
from analyzer.model.diagnosis import Check
from analyzer.model.examination import Examination

_WANTED = (
    ("auto_explain.log_format", "json", "the format that is read without doubt"),
    (
        "auto_explain.log_analyze",
        "on",
        "actual rows and loops; it costs some of each statement's time",
    ),
    ("auto_explain.log_buffers", "on", "what was read from disk"),
)


def check_plans(found: Examination, remedies: Remedies) -> Iterator[Check]:
    """Whether auto_explain is loaded, and what it would log."""
    libraries = [
        name.strip()
        for setting in ("shared_preload_libraries", "session_preload_libraries")
        for name in (found.setting(setting) or "").split(",")
        if name.strip()
    ]
    known = found.setting("auto_explain.log_min_duration")
    if "auto_explain" not in libraries and known is None:
        text = "auto_explain is not loaded: slow statements leave no plan in the log"
        session = (found.setting("session_preload_libraries") or "").split(",")
        names = [*(name.strip() for name in session if name.strip()), "auto_explain"]
        fixes = together(
            () if remedies.provider else ("LOAD 'auto_explain';",),  # or its settings are not known
            remedies.set_list("session_preload_libraries", names, restart=False),
            remedies.set("auto_explain.log_min_duration", "100ms"),
        )
        yield Check("auto-explain", "warning", text, fixes)
        return
    if known in (None, "-1"):
        text = "auto_explain is loaded, but logs no plan (auto_explain.log_min_duration = -1)"
        fixes = remedies.set("auto_explain.log_min_duration", "100ms")
        yield Check("auto-explain", "warning", text, fixes)
        return
    rate = found.setting("auto_explain.sample_rate")
    share = "" if rate in (None, "1") else f" of {float(rate or 1):.0%} of the statements"
    text = f"auto_explain logs plans from {known} ms on{share}"
    yield Check("auto-explain", "ok", text)
    for name, value, why in _WANTED:
        if found.setting(name) != value:
            text = f"{name} = {found.setting(name)}; {value} gives {why}"
            yield Check(name.replace("_", "-"), "warning", text, remedies.set(name, value))
