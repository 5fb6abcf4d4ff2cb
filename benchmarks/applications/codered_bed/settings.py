"""Settings of a CodeRed CMS (Wagtail) site for the test bed: those of its template, and a real database."""

import os
import sys

sys.path.insert(0, os.environ["BED_SITE"])

from bedsite.settings.base import *  # noqa: F403  # how a Django project extends settings

SECRET_KEY = "for a scratch server only"  # noqa: S105  # of a scratch server
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "codered_bed.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "wagtail.api.v2", "rest_framework"]  # noqa: F405
WAGTAIL_CACHE = False  # whole pages for anonymous visitors: they would run no statement
MEDIA_ROOT = f"{os.environ['BED_SITE']}/media"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
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
LOGGING = {"version": 1, "disable_existing_loggers": True}
