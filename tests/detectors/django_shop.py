"""A small Django program with an N+1 on two levels, run by test_real_django.py.

Arguments: host, port, database, and "born" for the model as it is after a migration that adds a column.
"""

import sys

import django
from django.conf import settings

host, port, database, *options = sys.argv[1:]
settings.configure(
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
    if "born" in options:
        born = models.IntegerField(null=True)

    class Meta:
        app_label = "library"
        db_table = "authors"


class Book(models.Model):
    title = models.TextField()
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    if "born" in options:
        pages = models.IntegerField(null=True)

    class Meta:
        app_label = "library"
        db_table = "books"


def lazily() -> int:
    return sum(len(author.books.all()) for author in Author.objects.order_by("id")[:12])


def eagerly() -> int:
    authors = Author.objects.order_by("id").prefetch_related("books")[:12]
    return sum(len(author.books.all()) for author in authors)


sys.stdout.write(f"{lazily() if 'lazily' in options else eagerly()}\n")
