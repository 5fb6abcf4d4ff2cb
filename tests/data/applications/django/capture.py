"""The program whose logs are here: Django's debug log of one lazy and one eager listing of books.

    DATABASE=… PORT=… python capture.py default|verbose|server > OUTPUT

Captured with Django 5.2, psycopg 3.3 and PostgreSQL 15 on the tables of schema.sql: `default` has
logging's default formatter (`%(message)s`), `verbose` the one of Django's documentation, `server` is
what `manage.py runserver` prints, with both loggers as they are by default.
"""

import logging.config
import os
import sys
from wsgiref.util import setup_testing_defaults

import django
from django.conf import settings

FORMATS = {
    "default": "%(message)s",
    "verbose": "%(levelname)s %(asctime)s %(module)s %(process)d %(thread)d %(message)s",
    "server": "%(message)s",
}
KIND = sys.argv[1]

settings.configure(
    DEBUG=True,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="__main__",
    SECRET_KEY="capture",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "USER": "postgres",
            "NAME": os.environ["DATABASE"],
            "PORT": os.environ["PORT"],
        }
    },
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"format": FORMATS[KIND]}},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": sys.stdout, "formatter": "chosen"}},
        "loggers": {"django.db.backends": {"handlers": ["out"], "level": "DEBUG", "propagate": False}},
    },
)
django.setup()

from django.core.servers.basehttp import ServerHandler, WSGIRequestHandler, get_internal_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


class Author(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "shop"
        db_table = "authors"


class Book(models.Model):
    title = models.TextField()
    author = models.ForeignKey(Author, models.CASCADE)

    class Meta:
        app_label = "shop"
        db_table = "books"


def lazy(request):
    """11 statements: 10 books, and the author of each."""
    return HttpResponse(", ".join(book.author.name for book in Book.objects.order_by("id")[:10]))


def eager(request):
    """2 statements: 10 books, and all their authors."""
    books = Book.objects.order_by("id").prefetch_related("author")[:10]
    return HttpResponse(", ".join(book.author.name for book in books))


def lines(request, number=0):
    """5 statements: BEGIN, a text over several lines that looks like an entry, a write, COMMIT, no parameters."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*)\n  FROM books\n WHERE title <> %s", ["(0.001) it's; args=('x',); alias=default"])
        Author.objects.filter(pk=1).update(name="author '1'\n; args=(); alias=default")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 100 % 7 AS rest")
    return HttpResponse("done")


urlpatterns = [path("lazy/", lazy), path("eager/", eager), path("lines/<int:number>/", lines)]


def get(url):
    if KIND != "server":
        {"/lazy/": lazy, "/eager/": eager}.get(url.partition("?")[0], lines)(None)
        return
    import urllib.request

    urllib.request.urlopen(BASE + url).read()


if KIND == "server":
    import threading

    from django.core.servers.basehttp import WSGIServer

    sys.stderr = sys.stdout  # django.server's handler is made at setup: one stream for both
    for handler in logging.getLogger("django.server").handlers:
        handler.setStream(sys.stdout)
    server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(get_internal_wsgi_application())
    BASE = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()

for url in ("/lazy/?page=1", "/eager/", "/lines/7/", "/lazy/?page=2"):
    get(url)
    sys.stdout.flush()
