"""A Django program (and some plain psycopg) with one function per behaviour, good and bad.

Run as `neighbours_shop.py HOST PORT DATABASE BEHAVIOUR`; take_neighbours.py captures what the
server logs of each.
"""

import sys
import time

import django
import psycopg
from django.conf import settings

host, port, database, behaviour = sys.argv[1:]
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

from django.core.paginator import Paginator  # noqa: E402 - needs the settings above
from django.db import connection, models, transaction  # noqa: E402 - as above


class Account(models.Model):
    owner = models.TextField()
    balance = models.IntegerField()
    region = models.IntegerField()
    tier = models.IntegerField()
    score = models.IntegerField()

    class Meta:
        app_label = "shop"
        db_table = "accounts"


class Event(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    kind = models.TextField()
    payload = models.TextField()

    class Meta:
        app_label = "shop"
        db_table = "events"


def plain() -> psycopg.Connection:
    """A connection without an ORM."""
    return psycopg.connect(host=host, port=port, dbname=database, user="postgres", autocommit=True)


# write-loop


def update_or_create_loop() -> None:
    for number in range(1, 13):
        Account.objects.update_or_create(id=number, defaults={"balance": number * 10})


def delete_loop() -> None:
    for event in Event.objects.order_by("id")[:15]:
        event.delete()


def copy_with_lazy_reads() -> None:
    for event in Event.objects.filter(kind="even").order_by("id")[:12]:
        Event.objects.create(account_id=1, kind="copy", payload=event.account.owner)


def bulk_writes() -> None:
    Event.objects.bulk_create(
        [Event(account_id=n, kind="bulk", payload=str(n)) for n in range(1, 31)]
    )
    accounts = list(Account.objects.order_by("id")[:20])
    for account in accounts:
        account.balance += 1
    Account.objects.bulk_update(accounts, ["balance"])


def executemany() -> None:
    with plain() as other, other.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO events (account_id, kind, payload) VALUES (%s, %s, %s)",
            [(n, "many", str(n)) for n in range(1, 41)],
        )


def retries() -> None:
    with plain() as other:
        for _ in range(8):
            other.execute(
                "INSERT INTO accounts (id, owner, balance, region, tier, score) "
                "VALUES (5, 'again', 0, 0, 0, 0) ON CONFLICT (id) DO NOTHING"
            )


def progress() -> None:
    account = Account.objects.get(id=7)
    for step in range(20):
        account.score = step
        account.save(update_fields=["score"])


def streaming() -> None:
    for number in range(8):
        Event.objects.create(account_id=number + 1, kind="tick", payload="x")
        time.sleep(0.15)


def one_insert_a_request() -> None:
    for number in range(1, 13):
        account = Account.objects.get(id=number)
        Event.objects.create(account=account, kind="visit", payload=account.owner)


# offset-pagination


def deep_pages() -> None:
    for page in (0, 3, 4_000, 5_500, 5_900):
        list(Event.objects.order_by("-kind", "id")[page * 10 : page * 10 + 10])


def page_walk() -> None:
    for page in Paginator(Account.objects.order_by("id"), 50):
        list(page)


def first_pages() -> None:
    for page in (0, 1, 2):
        list(Event.objects.order_by("id")[page * 20 : page * 20 + 20])


def offset_zero() -> None:
    with plain() as other:
        for number in range(1, 31):
            other.execute(
                "SELECT t1.id, t1.owner FROM accounts AS t1 WHERE t1.id = %s LIMIT 1 OFFSET 0",
                (number,),
            )


# unbounded-result, count-by-fetching


def everything() -> None:
    for _ in range(3):
        list(Event.objects.filter(kind="even"))


def bounded() -> None:
    for _ in range(3):
        list(Event.objects.filter(kind="even")[:50])
        for _event in Event.objects.filter(kind="odd").iterator(chunk_size=2000):
            pass
    list(Event.objects.filter(id__in=range(1, 1500)))


def count_by_len() -> None:
    for kind in ("even", "odd", "even"):
        total = len(Event.objects.filter(kind=kind).order_by("id"))
        assert total > len(list(Event.objects.filter(kind=kind).order_by("id")[:10]))


def count_by_count() -> None:
    for kind in ("even", "odd", "even"):
        total = Event.objects.filter(kind=kind).count()
        assert total > len(list(Event.objects.filter(kind=kind).order_by("id")[:10]))


def export_and_list() -> None:
    for kind, other in (("even", "odd"), ("odd", "even"), ("even", "odd")):
        list(Event.objects.filter(kind=kind).order_by("id"))
        list(Event.objects.filter(kind=other).order_by("id")[:10])


# chatty-transaction, long-idle-in-transaction


def different_reads(pause: float) -> None:
    """Twenty-five statements, each of its own shape: no loop."""
    columns = ["owner", "balance", "region", "tier", "score"]
    for wanted in columns:
        for compared in columns:
            list(Account.objects.filter(**{f"{compared}__isnull": True}).values(wanted)[:3])
            time.sleep(pause)


def chatty() -> None:
    for number in (1, 2):
        with transaction.atomic():
            Account.objects.filter(id=number).update(balance=models.F("balance") - 1)
            different_reads(0.006)
            Event.objects.create(account_id=number, kind="paid", payload="x")


def reads_before() -> None:
    for number in (1, 2):
        with transaction.atomic():
            different_reads(0.006)
            Account.objects.filter(id=number).update(balance=models.F("balance") - 1)
            Event.objects.create(account_id=number, kind="paid", payload="x")


def idle() -> None:
    with transaction.atomic():
        Account.objects.filter(id=1).update(balance=models.F("balance") - 1)
        time.sleep(1.3)  # the call to a payment provider
        Event.objects.create(account_id=1, kind="paid", payload="x")
    with transaction.atomic():
        Account.objects.select_for_update().get(id=2)
        time.sleep(1.1)


def idle_elsewhere() -> None:
    with transaction.atomic():
        Account.objects.get(id=1)
        time.sleep(1.1)  # a snapshot is held, no lock
        Account.objects.filter(id=1).update(balance=models.F("balance") - 1)
    time.sleep(1.1)
    Account.objects.filter(id=2).update(balance=models.F("balance") - 1)


def cancelled() -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            Account.objects.filter(id=1).update(balance=models.F("balance") - 1)
            cursor.execute("SET LOCAL statement_timeout = '1200ms'")
            cursor.execute("SELECT pg_sleep(3)")
    except django.db.OperationalError:
        pass


globals()[behaviour]()
