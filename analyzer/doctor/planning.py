"""A plan for the log: which settings make the verdict decidable within a budget of bytes a day."""

from collections.abc import Iterator, Sequence

from analyzer.doctor.remedies import Remedies, identifier, literal, together
from analyzer.doctor.volume import Traffic, Volume
from analyzer.model.diagnosis import FullWindow, LoggingPlan, LogOption
from analyzer.model.examination import Examination

_THRESHOLDS_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
_SAMPLES_WANTED = 10_000  # executions a day: the P95 of a sample within some per cent
_SMALLEST_RATE = 0.0001
_SHORT_DAYS = 1.0
_PEAK = 3  # busy minutes have that times the traffic of an average one
_WINDOW_SHARE = 0.25  # of a day's budget
_MINUTES = (60, 30, 15, 10, 5, 2, 1)
_A_DAY = 24 * 60


def plan_logging(
    found: Examination,
    remedies: Remedies,
    traffic: Traffic,
    days: float,
    budget_bytes: int,
    target_ms: float,
) -> LoggingPlan:
    """Predict each setting's volume and choose the one that shows the most within the budget.

    Args:
        found: the server.
        remedies: how its settings are changed.
        traffic: what it runs a day, counted over `days`.
        days: how long was counted.
        budget_bytes: what the log may grow a day.
        target_ms: the target of the verdict; a threshold above it decides nothing.
    """
    thresholds = [0.0, *(t for t in _THRESHOLDS_MS if t < target_ms), target_ms]
    volumes = {from_ms: traffic.volume(from_ms) for from_ms in thresholds}
    options = [
        _option(from_ms, 0.0, volumes[from_ms], budget_bytes, remedies) for from_ms in thresholds
    ]
    chosen = next((one for one in options if one.fits == "surely"), None)
    chosen = chosen or next((one for one in options if one.fits == "likely"), None)
    extra = list(_sampling(chosen, volumes, traffic, budget_bytes, remedies))
    options += extra
    if extra:
        chosen = extra[0]
    return LoggingPlan(
        budget_bytes=budget_bytes,
        target_ms=target_ms,
        protocol=traffic.protocol,
        days=days,
        calls_per_day=traffic.calls_per_day,
        options=options,
        chosen=chosen,
        narrower=_narrower(found, chosen),
        revert=_revert(found, remedies, chosen),
        window=_window(remedies, chosen, volumes[0.0], budget_bytes),
        unseen=list(_unseen(chosen)),
        caveats=list(_caveats(found, days, traffic.protocol)),
    )


def _option(
    from_ms: float, rate: float, volume: Volume, budget_bytes: int, remedies: Remedies
) -> LogOption:
    fits = "no"
    if volume.high <= budget_bytes:
        fits = "surely"
    elif volume.likely <= budget_bytes:
        fits = "likely"
    decides = "exact" if from_ms == 0 else "tail-exact"
    commands: Sequence[str] = remedies.set("log_min_duration_statement", _ms(from_ms))
    if rate:
        commands = _sampled_commands(remedies, from_ms, rate)
        decides = "sampled" if from_ms < 0 else "tail-exact"
    return LogOption(
        from_ms=from_ms,
        rate=rate,
        low_bytes=round(volume.low),
        likely_bytes=round(volume.likely),
        high_bytes=round(volume.high),
        logged=volume.logged,
        decides=decides,
        fits=fits,
        commands=commands,
    )


def _sampled_commands(remedies: Remedies, from_ms: float, rate: float) -> Sequence[str]:
    return together(
        remedies.set("log_min_duration_statement", _ms(from_ms)),
        remedies.set("log_min_duration_sample", "0"),
        remedies.set("log_statement_sample_rate", f"{rate:g}"),
    )


def _sampling(
    chosen: LogOption | None,
    volumes: dict[float, Volume],
    traffic: Traffic,
    budget_bytes: int,
    remedies: Remedies,
) -> Iterator[LogOption]:
    """What the rest of the budget gives: a sample of what the threshold leaves out, or alone."""
    everything = volumes[0.0]
    if chosen is not None and chosen.from_ms == 0:
        return
    base = volumes[chosen.from_ms] if chosen else Volume(0.0, 0.0, 0.0, 0.0)
    spent = base.high if chosen and chosen.fits == "surely" else base.likely
    rate = _rounded_down((budget_bytes - spent) / everything.high if everything.high else 0.0)
    if rate < _SMALLEST_RATE or rate * traffic.calls_per_day < min(_SAMPLES_WANTED, 1000):
        return
    volume = Volume(
        base.low + rate * (everything.low - base.low),
        base.likely + rate * (everything.likely - base.likely),
        base.high + rate * everything.high,
        base.logged + rate * (1 - base.logged),
    )
    yield _option(chosen.from_ms if chosen else -1.0, rate, volume, budget_bytes, remedies)


def _rounded_down(rate: float) -> float:
    """The next of 1, 2, 5 × 10ⁿ that is not above the rate, at most 0.5."""
    steps = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
    return next((step for step in steps if step <= rate), 0.0)


def _ms(from_ms: float) -> str:
    return f"{from_ms:g}ms" if from_ms > 0 else f"{from_ms:g}"


def _narrower(found: Examination, chosen: LogOption | None) -> Sequence[str]:
    """The same for the busiest role, or database, alone."""
    if chosen is None:
        return []
    commands = []
    for kind, attribute in (("ROLE", "user"), ("DATABASE", "database")):
        calls: dict[str, int] = {}
        for row in found.snapshot.counters:
            name = getattr(row, attribute)
            if name is not None and row.toplevel:
                calls[name] = calls.get(name, 0) + row.calls
        if calls:
            busiest = max(sorted(calls), key=lambda name: calls[name])
            value = literal(_ms(chosen.from_ms))
            commands.append(
                f"ALTER {kind} {identifier(busiest)} SET log_min_duration_statement = {value};"
            )
    return commands


def _revert(found: Examination, remedies: Remedies, chosen: LogOption | None) -> Sequence[str]:
    """What takes the choice back to what is set now."""
    if chosen is None:
        return []
    names = ["log_min_duration_statement"]
    if chosen.rate:
        names += ["log_min_duration_sample", "log_statement_sample_rate"]
    return together(*(remedies.reset(name, found.setting(name) or "-1") for name in names))


def _window(
    remedies: Remedies, chosen: LogOption | None, everything: Volume, budget_bytes: int
) -> FullWindow:
    """A short time with everything logged, for the loops of fast statements."""
    if chosen is not None and chosen.from_ms == 0:
        reason = "everything is logged all the time: loops show in any log"
        return FullWindow(0, 0, (), (), reason)
    minute = _PEAK * everything.high / _A_DAY
    minutes = next((m for m in _MINUTES if m * minute <= _WINDOW_SHARE * budget_bytes), 0)
    if not minutes:
        return FullWindow(
            0,
            round(minute),
            remedies.set("log_transaction_sample_rate", "0.01"),
            remedies.set("log_transaction_sample_rate", "0"),
            "a single minute of everything may be more than a quarter of the day's budget: log one "
            "transaction of a hundred whole for some minutes, or one role (ALTER ROLE … SET)",
        )
    after = _ms(chosen.from_ms if chosen else -1.0)
    return FullWindow(
        minutes,
        round(minutes * minute),
        remedies.set("log_min_duration_statement", "0"),
        remedies.set("log_min_duration_statement", after),
        "in busy minutes, that is at most a quarter of the day's budget",
    )


def _unseen(chosen: LogOption | None) -> Iterator[str]:
    if chosen is None:
        yield "no setting decides the target within this budget: raise it, or log one role or database"
        return
    if chosen.from_ms > 0:
        yield (
            f"executions below {chosen.from_ms:g} ms ({1 - chosen.logged:.1%} of them, likely): their "
            "number and total time come from pg_stat_statements, their distribution and order do not"
        )
        yield "loops (N+1) of statements that fast: the window below is for them"
        yield f"parse and bind, where they take less than {chosen.from_ms:g} ms"
    if chosen.from_ms < 0:
        yield "rare slow executions: a sample shows few of them, and no request is whole in it"
    yield "statements within functions: the log has the call alone, with the time of all"
    yield "what a statement waits for outside the server: pools, the network, the application"


def _caveats(found: Examination, days: float, protocol: str) -> Iterator[str]:
    if days < _SHORT_DAYS:
        yield (
            f"the counters cover {days * 24:.2g} hours: other hours of the day may be busier or slower. "
            "Run it again after a full week"
        )
    if found.snapshot.evictions:
        yield "rows were pushed out of pg_stat_statements: there is more traffic than counted"
    if protocol == "prepared":
        yield (
            "of BEGIN and COMMIT that are prepared once and run again, pg_stat_statements counts the "
            "first run alone: up to a third more may be logged where transactions are short"
        )
    if found.setting("pg_stat_statements.track_utility") == "off":
        yield "COMMIT and its like are not counted, but are logged"
    if found.setting("log_duration") == "on" or found.setting("log_statement") in ("all", "mod"):
        yield "log_duration and log_statement write entries of their own, which are not counted here"
    yield (
        "values of parameters are taken for 8 bytes each, and errors, connections and plans of "
        "auto_explain are not counted"
    )
