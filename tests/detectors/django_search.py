"""A Django program that searches, run by test_real_django_texts.py. Arguments: host, port, database."""

import datetime as dt
import sys

import django
from django.conf import settings

host, port, database = sys.argv[1:]
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
    USE_TZ=True,
)
django.setup()

from django.db import models  # noqa: E402 - models need the settings above

TIMES = 6


class Customer(models.Model):
    name = models.CharField(max_length=200)
    email = models.TextField()
    created = models.DateTimeField()

    class Meta:
        app_label = "shop"
        db_table = "customers"


class Order(models.Model):
    customer = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE)

    class Meta:
        app_label = "shop"
        db_table = "purchases"


class Document(models.Model):
    team = models.IntegerField()
    title = models.TextField()
    content = models.BinaryField()

    class Meta:
        app_label = "shop"
        db_table = "documents"


def searches(n: int) -> list[int]:
    """What the program does, once: the rows that each search gives."""
    customers = Customer.objects
    day = dt.date(2024, 3, 1) + dt.timedelta(days=n)
    ordered = Order.objects.values("customer_id")
    return [
        len(customers.filter(name__icontains=f"abc{n}").values_list("id")),
        len(customers.filter(email__iexact=f"User{n}@Example.org").values_list("id")),
        len(customers.filter(created__date=day).values_list("id")),
        len(customers.exclude(pk__in=ordered).values_list("id")),
        len(customers.order_by("?").values_list("id")[:3]),
        len(customers.filter(pk__in=list(range(1, 8000 + n))).values_list("email")),
        len(Document.objects.filter(team=n % 2)),
        # Near misses: a beginning, the key, a range of moments, and columns that are named.
        len(customers.filter(name__startswith=f"abc{n}").values_list("id")),
        len(customers.filter(pk=n, email__iexact="x").values_list("id")),
        len(customers.filter(created__gte=day, created__lt=day).values_list("id")),
        len(Document.objects.filter(team=n % 2).only("title")),
    ]


sys.stdout.write(f"{[searches(n) for n in range(TIMES)][-1]}\n")
