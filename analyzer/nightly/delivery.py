"""Alerts that a store holds go out, each through its channel, and leave the store once they arrived."""

from collections.abc import Callable
from datetime import UTC, datetime

from analyzer.errors import AnalyzerError
from analyzer.history.store import Store
from analyzer.model.history import Alert
from analyzer.nightly.alerts import Message
from analyzer.nightly.sending import send_mail, send_webhook
from analyzer.nightly.settings import Alerts

WEBHOOK, MAIL = "webhook", "mail"
_STALE_US = 7 * 86_400_000_000

Tell = Callable[[str], None]


def channels_of(alerts: Alerts) -> list[str]:
    """The channels that are configured."""
    known = ((WEBHOOK, alerts.webhook), (MAIL, alerts.mail))
    return [name for name, channel in known if channel is not None]


def deliver(store: Store, alerts: Alerts, now_us: int, tell: Tell) -> list[str]:
    """Send all alerts that wait, oldest first; what failed, in words.

    An alert is taken out of the store after it was sent: one may arrive twice, none is forgotten.
    What fails waits for the next night, for a week at most.
    """
    with store.reading() as reader:
        waiting = reader.alerts()
    failures = []
    for alert in waiting:
        failure = _send(alert, alerts)
        made = datetime.fromtimestamp(alert.made_us / 1e6, UTC).isoformat(timespec="seconds")
        if failure is None:
            tell(f"{alert.channel}: sent the alert of {made}")
        elif now_us - alert.made_us > _STALE_US:
            failures.append(f"alert of {made} given up after a week: {failure}")
        else:
            failures.append(f"alert of {made} waits for the next night: {failure}")
            continue
        with store.transaction() as night:
            night.drop_alert(alert.id or 0)
    return failures


def _send(alert: Alert, alerts: Alerts) -> str | None:
    """Send one alert; why it failed, None: it did not (or its channel is no longer wanted)."""
    told = Message.of(alert.message)
    try:
        if alert.channel == WEBHOOK and alerts.webhook is not None:
            send_webhook(told, alerts.webhook)
        elif alert.channel == MAIL and alerts.mail is not None:
            send_mail(told, alerts.mail)
    except AnalyzerError as error:
        return str(error)
    return None
