"""A Django program that loops as told, or does what a report recommends. Run by test_advised.py.

Arguments: host, port, database, the case (children, parent, count, exists, few), and the recommended code
for the program that has taken the advice. Prints what it saw as JSON.
"""

import json
import sys

import django
from django.apps import AppConfig
from django.conf import settings

host, port, database, case, *advice = sys.argv[1:]


class Library(AppConfig):
    """This file as an application: only of those does Django know the ways back."""

    name = "__main__"
    label = "library"
    path = "."


settings.configure(
    INSTALLED_APPS=["__main__.Library"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": host,
            "PORT": port,
            "NAME": database,
            "USER": "postgres",
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()

from django.db import models  # noqa: E402 - models need the settings above


class Author(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "library"
        db_table = "authors"


class Book(models.Model):
    title = models.TextField()
    author = models.ForeignKey(Author, on_delete=models.CASCADE)

    class Meta:
        app_label = "library"
        db_table = "books"


def asked(parents: "models.QuerySet[models.Model]") -> list[object]:
    """The loop: a statement for each parent, unless its answer came with the parents."""
    rows = parents.order_by("id")[:12]
    if case == "parent":
        return [[row.pk, row.author.name] for row in rows]
    if case == "children":
        return [[row.pk, [book.title for book in row.book_set.all()]] for row in rows]
    if case == "count":
        return [[row.pk, row.book_count if advice else row.book_set.count()] for row in rows]
    if case == "exists":
        return [[row.pk, row.has_book if advice else row.book_set.exists()] for row in rows]
    few = [row.few if advice else row.book_set.order_by("-id")[:2] for row in rows]
    return [[book.title for book in some] for some in few]


names = {"Author": Author, "Book": Book}
if advice:
    exec(advice[0], names)  # noqa: S102 - written for the programs of this test
    seen = asked(names["rows"])
else:
    seen = asked((Book if case == "parent" else Author).objects.all())
sys.stdout.write(json.dumps(seen) + "\n")
