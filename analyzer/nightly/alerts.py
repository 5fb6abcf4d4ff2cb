"""What is worth telling people after a night, and how it reads in a message.

Titles and names come from logs: in Slack's text they are escaped, in a mail they are plain text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

from analyzer.nightly.settings import Mail
from analyzer.records import record
from analyzer.report.formats import ms, one_line, quantile_name, window
from analyzer.report.verdict_words import verdict_line

_SHOWN = 10  # of a kind; the report has all
_SLACK_TEXT = 2900  # a block takes 3000 characters
_SUBJECT = 150


@record
class Event:
    """One thing to tell: `on` is the condition (target, new, regression)."""

    on: str
    text: str
    key: str | None = None  # a finding's, or a statement's lineage


@record
class Message:
    """One night's alert: a headline, its events, the night's window, where the report is.

    `about` names the workload (servers and logs of the configuration): teams get several of these.
    """

    headline: str
    verdict: str
    value_ms: float | None
    target_ms: float
    quantile: float
    from_time: str | None
    to_time: str | None
    report: str | None
    events: Sequence[Event]
    about: str = ""

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Message":
        """From what `fields` gave."""
        events = tuple(Event(**one) for one in fields["events"])
        return cls(**{**fields, "events": events})


def events_of(
    document: Mapping[str, Any], slower: Sequence[tuple[str, str]], on: Sequence[str]
) -> list[Event]:
    """What a night gives cause to tell, of the conditions that are asked for.

    `slower` are statements that got slower: their lineage, and that in words. An unknown verdict is
    no alert unless something ran: a night without traffic misses nothing.
    """
    events: list[Event] = []
    target = document["target"]
    unknown = target["verdict"] == "unknown" and target["executions"]
    if "target" in on and (target["verdict"] == "missed" or unknown):
        events.append(Event("target", verdict_line(dict(document))))
    if "new" in on:
        events += [
            Event("new", f"{one['severity']} {one['detector']}: {one['title']}", one["key"])
            for one in document["findings"]
            if one["status"] == "new" and one["severity"] != "info"
        ]
    if "regression" in on:
        events += [Event("regression", text, lineage) for lineage, text in slower]
    return events


def message(
    document: Mapping[str, Any], events: Sequence[Event], report: str | None, about: str = ""
) -> Message:
    """A night's alert."""
    target, span = document["target"], document["window"]
    return Message(
        headline=verdict_line(dict(document)),
        verdict=target["verdict"],
        value_ms=target["value_ms"],
        target_ms=target["ms"],
        quantile=target["quantile"],
        from_time=span["from"],
        to_time=span["to"],
        report=report,
        events=tuple(events),
        about=about,
    )


def as_json(told: Message) -> dict[str, Any]:
    """For a generic webhook."""
    return {"tool": "pg95", "schema_version": 1, **told.fields()}


def as_slack(told: Message) -> dict[str, Any]:
    """For Slack's incoming webhooks, and those that take the same (Mattermost, Rocket.Chat)."""
    title = _for_slack(_title(told))
    body = "\n".join(f"• {_for_slack(line)}" for line in _lines(told))
    footer = _for_slack(_footer(told))
    blocks: list[dict[str, Any]] = [_section(f"*{title}*"), _section(body[:_SLACK_TEXT])]
    if footer:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": footer}]})
    return {"text": title, "blocks": blocks}


def as_mail(told: Message, mail: Mail) -> EmailMessage:
    """As an e-mail in plain text."""
    made = EmailMessage()
    made["Subject"] = one_line(_title(told))[:_SUBJECT]
    made["From"] = mail.sender
    made["To"] = ", ".join(mail.recipients)
    made["Date"] = formatdate(usegmt=True)
    made["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2].strip("> ") or None)
    made["Auto-Submitted"] = "auto-generated"
    lines = [told.headline, "", *(f"- {line}" for line in _lines(told)), "", _footer(told)]
    made.set_content("\n".join(lines) + "\n")
    return made


def _title(told: Message) -> str:
    value = "unknown" if told.value_ms is None else ms(told.value_ms)
    name, limit = quantile_name(told.quantile), ms(told.target_ms)
    about = f" {told.about}" if told.about else ""
    return f"pg95{about}: {name} {value}, target {limit} {told.verdict}"


def _lines(told: Message) -> list[str]:
    """An event each, those of a kind that are too many as a number."""
    lines = []
    for on in dict.fromkeys(one.on for one in told.events):
        texts = [one_line(one.text) for one in told.events if one.on == on]
        lines += [f"{on}: {text}" for text in texts[:_SHOWN]]
        if len(texts) > _SHOWN:
            lines.append(f"{on}: and {len(texts) - _SHOWN} more")
    return lines


def _footer(told: Message) -> str:
    parts = [window(told.from_time, told.to_time)] if told.from_time else []
    parts += [f"report: {one_line(told.report)}"] if told.report else []
    return ", ".join(parts)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _for_slack(text: str) -> str:
    """Text that mentions nobody and links to nothing."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return text
