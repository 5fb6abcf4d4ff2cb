"""Settings of pretix for the test bed: its own test settings, with a real database and caches."""

import os

from pretix.testutils.settings import *  # noqa: F403  # how a Django project extends settings

DEBUG = DEBUG_PROPAGATE_EXCEPTIONS = False
ALLOWED_HOSTS = ["*"]
SITE_URL = "http://localhost"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": os.environ["BED_PORT"],
        "NAME": os.environ["BED_DATABASE"],
        "USER": "postgres",
        "CONN_MAX_AGE": None,
        "DISABLE_SERVER_SIDE_CURSORS": bool(os.environ.get("BED_POOLED")),
        "OPTIONS": {"server_side_binding": bool(os.environ.get("BED_SERVER_SIDE_BINDING"))},
    }
}
if os.environ.get("BED_UNTAGGED"):  # pretix names the view in a comment behind the first word
    MIDDLEWARE = [name for name in MIDDLEWARE if "querytagger" not in name]  # noqa: F405
LOGGING = {"version": 1, "disable_existing_loggers": True}
