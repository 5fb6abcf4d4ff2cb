"""Bring an alert to people: a webhook by HTTP, a mail by SMTP, each tried a few times.

A webhook's address is a secret (Slack's is its own password), so no message of this module has it.
"""

import http.client
import json
import smtplib
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from analyzer import __version__
from analyzer.errors import AnalyzerError, UsageError
from analyzer.nightly.alerts import Message, as_json, as_mail, as_slack
from analyzer.nightly.settings import Mail, Webhook

TIMEOUT_SECONDS = 15.0
PAUSES_SECONDS = (1.0, 4.0)  # between the tries
_IMPLICIT_TLS_PORT = 465
_RETRIED = (408, 425, 429)
_SERVER_ERROR = 500

Sleep = Callable[[float], None]


class SendingError(AnalyzerError):
    """An alert could not be brought to where it should go; it will be tried again."""


class _TryAgainError(Exception):
    """It may go better the next time."""


def send_webhook(told: Message, webhook: Webhook, sleep: Sleep = time.sleep) -> None:
    """Post an alert.

    Raises:
        SendingError: the address refuses it, or does not answer in several tries.
        UsageError: the address is not there, or is none.
    """
    address = webhook.url.read()
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{webhook.url.what}: {webhook.url.place} is no http:// or https:// address"
        )
    body = json.dumps(as_slack(told) if webhook.kind == "slack" else as_json(told)).encode()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def post() -> None:
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            headers = {"Content-Type": "application/json", "User-Agent": f"pg95/{__version__}"}
            connection.request("POST", path, body, headers)
            with connection.getresponse() as answer:
                _judge(answer)
        except (OSError, http.client.HTTPException) as error:
            raise _TryAgainError(_told(error)) from error
        finally:
            connection.close()

    _tried(post, f"webhook ({webhook.url.place})", sleep)


def send_mail(told: Message, mail: Mail, sleep: Sleep = time.sleep) -> None:
    """Mail an alert.

    Raises:
        SendingError: the server refuses it, or does not answer in several tries.
        UsageError: its password is not there.
    """
    password = None if mail.password is None else mail.password.read()
    letter = as_mail(told, mail)

    def deliver() -> None:
        try:
            with _connected(mail) as server:
                if mail.user is not None and password is not None:
                    server.login(mail.user, password)
                server.send_message(letter)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
            raise SendingError(_told(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise _TryAgainError(_told(error)) from error

    _tried(deliver, f"mail ({mail.host}:{mail.port})", sleep)


def _connected(mail: Mail) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if mail.port == _IMPLICIT_TLS_PORT:
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_SECONDS)
    if mail.starttls:
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _judge(answer: http.client.HTTPResponse) -> None:
    """What an HTTP status means."""
    said = answer.read(200).decode("utf-8", "replace")
    if 200 <= answer.status < 300:  # noqa: PLR2004 - as HTTP has it
        return
    told = f"answers {answer.status} {answer.reason}: {' '.join(said.split())}".rstrip(": ")
    if answer.status in _RETRIED or answer.status >= _SERVER_ERROR:
        raise _TryAgainError(told)
    raise SendingError(told)


def _tried(attempt: Callable[[], None], where: str, sleep: Sleep) -> None:
    for pause in (*PAUSES_SECONDS, None):
        try:
            attempt()
        except SendingError as error:
            raise SendingError(f"{where} {error}") from error
        except _TryAgainError as error:
            if pause is None:
                raise SendingError(f"{where} {error} ({len(PAUSES_SECONDS) + 1} tries)") from error
            sleep(pause)
        else:
            return


def _told(error: Exception) -> str:
    """What happened, on one line, without anything that might be an address."""
    if isinstance(error, TimeoutError):
        return f"did not answer within {TIMEOUT_SECONDS:g} s"
    reason: Any = getattr(error, "strerror", None) or getattr(error, "smtp_error", None)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        reason = error
    if isinstance(reason, bytes):
        reason = reason.decode("utf-8", "replace")
    return f"failed: {' '.join(str(reason or type(error).__name__).split())}"
