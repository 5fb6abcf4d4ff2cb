"""Settings of Indico for the test bed: a real database and cache, mails that go nowhere, no tasks."""

import os
import tempfile
from pathlib import Path
from typing import Any

from indico.core.db import db
from indico.core.db.sqlalchemy.util.management import create_all_tables
from indico.web.flask.app import make_app as make_indico

# Tokens that forms and scripts send back; a client's session has this one (see requests.login).
CSRF_TOKEN = "00000000-0000-4000-8000-000000000000"  # noqa: S105  # of a scratch server

LOGGING = """
version: 1
root: {level: CRITICAL, handlers: []}
loggers: {indico: {level: CRITICAL, handlers: []}, celery: {level: CRITICAL, handlers: []}}
handlers: {}
formatters: {}
"""


def make_app() -> Any:
    """Indico as it is served, configured from a file as its administrators do it."""
    home = Path(tempfile.mkdtemp(prefix="pg95-bed-indico-"))
    (home / "logging.yaml").write_text(LOGGING, encoding="utf-8")
    redis = f"redis://127.0.0.1:{os.environ['BED_REDIS_PORT']}"
    settings = {
        "SQLALCHEMY_DATABASE_URI": (
            f"postgresql://postgres@127.0.0.1:{os.environ['BED_PORT']}/{os.environ['BED_DATABASE']}"
        ),
        "SECRET_KEY": "for a scratch server only",
        "BASE_URL": "http://localhost",
        "REDIS_CACHE_URL": f"{redis}/0",
        "CELERY_BROKER": f"{redis}/1",
        "CACHE_DIR": str(home / "cache"),
        "TEMP_DIR": str(home),
        "LOG_DIR": str(home),
        "STORAGE_BACKENDS": {"default": f"fs:{home}/archive"},
        "ENABLE_ROOMBOOKING": True,
        "EMAIL_BACKEND": "indico.vendor.django_mail.backends.locmem.EmailBackend",
        "SMTP_USE_CELERY": False,
        "NO_REPLY_EMAIL": "noreply@example.org",
        "SUPPORT_EMAIL": "support@example.org",
        "SYSTEM_NOTICES_URL": None,
        "DISABLE_CELERY_CHECK": True,
    }
    lines = (f"{name} = {value!r}\n" for name, value in settings.items())
    (home / "indico.conf").write_text("".join(lines), encoding="utf-8")
    os.environ["INDICO_CONFIG"] = str(home / "indico.conf")

    return make_indico()


def make_tables() -> None:
    """All tables and what an empty Indico has in them."""
    create_all_tables(db)
