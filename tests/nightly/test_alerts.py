"""Alerts arrive at real servers, are tried again, and never show where a secret leads."""

import email.policy
import socket
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from analyzer.errors import UsageError
from analyzer.nightly import alerts
from analyzer.nightly.sending import SendingError, send_mail, send_webhook
from analyzer.nightly.settings import Mail, Secret, Webhook

if TYPE_CHECKING:
    from conftest import Hook, Post

SLOWER = [("abc", "SELECT 1 takes 31 ms at its P95, it took 12 ms")]


def test_who_gets_several_sees_whose_it_is(document: dict[str, Any]) -> None:
    events = alerts.events_of(document, SLOWER, ("target",))
    letter = alerts.as_mail(alerts.message(document, events, None, "shop, books"), mail(25))
    assert letter["Subject"] == "pg95 shop, books: P95 143 ms, target 100 ms missed"
    kept = alerts.message(document, events, None, "shop").fields()
    assert alerts.as_json(alerts.Message.of(kept))["about"] == "shop"
    del kept["about"]  # as an older pg95 left it in the store
    assert alerts.Message.of(kept).about == ""


def told(document: dict[str, Any], *on: str) -> alerts.Message:
    events = alerts.events_of(document, SLOWER, on or ("target", "new", "regression"))
    return alerts.message(document, events, "/srv/report.html")


def webhook(
    monkeypatch: pytest.MonkeyPatch, url: str, kind: Literal["slack", "json"] = "json"
) -> Webhook:
    monkeypatch.setenv("PG95_TEST_HOOK", url)
    return Webhook(Secret("alerts: the webhook's address", "PG95_TEST_HOOK"), kind)


def mail(port: int) -> Mail:
    return Mail("127.0.0.1", port, False, None, None, "pg95@example.org", ["a@x.org", "b@x.org"])  # noqa: FBT003 - starttls


def test_a_generic_webhook_gets_what_happened(
    hook: "Hook", document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    send_webhook(told(document), webhook(monkeypatch, hook.url + "?a=b"))
    assert hook.paths == ["/services/T0/secret?a=b"]
    assert hook.got[0]["verdict"] == "missed"
    assert [one["on"] for one in hook.got[0]["events"]] == ["target", "new", "regression"]
    assert hook.got[0]["events"][1]["key"] == "n-plus-one-1"
    assert alerts.Message.of(told(document).fields()) == told(document)


def test_slack_gets_text_that_is_escaped(
    hook: "Hook", document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    send_webhook(told(document), webhook(monkeypatch, hook.url, "slack"))
    body = hook.got[0]
    assert body["text"] == "pg95: P95 143 ms, target 100 ms missed"
    section = body["blocks"][1]["text"]["text"]
    assert "orders &lt;script&gt; &amp; " in section
    assert "<" not in section
    assert len(section) < 3000


def test_only_what_is_asked_for_is_told(document: dict[str, Any]) -> None:
    assert [one.on for one in told(document, "new").events] == ["new"]
    document["target"]["verdict"] = "met"
    assert not told(document, "target").events
    document["target"] |= {"verdict": "unknown", "executions": 5}
    assert told(document, "target").events
    document["target"]["executions"] = 0
    assert not told(document, "target").events


def test_a_webhook_is_tried_again(
    hook: "Hook", document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    hook.answers = [503, 429]
    send_webhook(told(document), webhook(monkeypatch, hook.url), pauses.append)
    assert len(hook.got) == 3
    assert pauses == [1.0, 4.0]


@pytest.mark.parametrize(("answer", "tries"), [(500, 3), (404, 1), (302, 1)])
def test_what_a_webhook_refuses_is_told_without_its_address(
    hook: "Hook",
    document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    answer: int,
    tries: int,
) -> None:
    hook.answers = [answer] * 3
    with pytest.raises(SendingError) as raised:
        send_webhook(told(document), webhook(monkeypatch, hook.url), lambda _: None)
    assert len(hook.got) == tries
    assert str(raised.value).startswith("webhook ($PG95_TEST_HOOK) answers ")
    assert "secret" not in str(raised.value)


def test_nobody_listens(document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(
        SendingError, match=r"\$PG95_TEST_HOOK\) failed: Connection refused \(3 tries"
    ):
        send_webhook(
            told(document), webhook(monkeypatch, f"http://127.0.0.1:{port}/x"), lambda _: None
        )
    with pytest.raises(SendingError, match=r"Connection refused \(3 tries"):
        send_mail(told(document), mail(port), lambda _: None)


def test_a_secret_that_is_not_there(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"\$PG95_TEST_HOOK is empty or not set"):
        send_webhook(told(document), webhook(monkeypatch, " "))
    with pytest.raises(UsageError, match="is no http:// or https:// address"):
        send_webhook(told(document), webhook(monkeypatch, "file:///etc/passwd"))
    missing = Webhook(Secret("x", None, tmp_path / "missing"), "json")
    with pytest.raises(UsageError, match="cannot be read"):
        send_webhook(told(document), missing)


def test_a_mail_arrives(post: "Post", document: dict[str, Any]) -> None:
    post.refusals = 1
    send_mail(told(document), mail(post.server_address[1]), lambda _: None)
    letter = message_from_bytes(post.letters[0], policy=email.policy.default)
    assert letter["Subject"] == "pg95: P95 143 ms, target 100 ms missed"
    assert parsedate_to_datetime(letter["Date"]) > datetime(2026, 1, 1, tzinfo=UTC)
    assert letter["Message-ID"].endswith("@example.org>")
    assert letter["To"] == "a@x.org, b@x.org"
    body = letter.get_content()
    assert "- regression: SELECT 1 takes 31 ms" in body
    assert "report: /srv/report.html" in body
    assert {one.split()[0] for one in post.recipients} == {"<a@x.org>", "<b@x.org>"}


def test_a_server_without_starttls_gets_no_password(
    post: "Post", document: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    host, port = "127.0.0.1", post.server_address[1]
    password = Secret("alerts: password", None, tmp_path / "password")
    safe = Mail(host, port, True, "me", password, "a@x.org", ["b@x.org"])  # noqa: FBT003 - starttls
    with pytest.raises(SendingError, match="STARTTLS"):
        send_mail(told(document), safe, lambda _: None)
    assert not post.letters


def test_many_events_are_counted(document: dict[str, Any]) -> None:
    document["findings"] *= 30
    text = str(alerts.as_slack(told(document)))
    assert "new: and 20 more" in text
