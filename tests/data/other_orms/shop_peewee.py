"""Peewee 4.5 with psycopg2: `shop_peewee.py PORT DATABASE RUN`."""

import sys
import time

from peewee import (
    AutoField,
    ForeignKeyField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    TextField,
    UUIDField,
    prefetch,
)

port, name, run = sys.argv[1:]
database = PostgresqlDatabase(name, user="postgres", host="127.0.0.1", port=int(port))


class Base(Model):
    class Meta:
        database = database


class Verlag(Base):
    nr = AutoField()
    bez = TextField()


class Person(Base):
    nr = AutoField()
    bez = TextField()
    chef = ForeignKeyField("self", null=True, column_name="chef")


class Werk(Base):
    nr = AutoField()
    titel = TextField()
    wer = ForeignKeyField(Person, column_name="wer", backref="werke")
    haus = ForeignKeyField(Verlag, column_name="haus")


class Stimme(Base):
    nr = AutoField()
    zu = ForeignKeyField(Werk, column_name="zu", backref="stimmen")
    punkte = IntegerField()


class Konto(Base):
    guid = UUIDField(primary_key=True)
    inhaber = TextField()


class Buchung(Base):
    guid = UUIDField(primary_key=True)
    ziel = UUIDField()
    betrag = IntegerField()


def lazy_children() -> None:
    for one in Person.select().order_by(Person.nr).limit(15):
        list(one.werke)


def nested() -> None:
    for one in Person.select().limit(8):
        for werk in one.werke:
            _ = werk.haus.bez


def eager_join() -> None:
    for one in Werk.select(Werk, Person).join(Person).limit(20):
        _ = one.wer.bez


def prefetched() -> None:
    for one in prefetch(Person.select().where(Person.nr < 20), Werk.select()):
        list(one.werke)


def batch_then_lazy() -> None:
    """The ids come from elsewhere: one list for the persons, then the rows of each."""
    ids = [3, 9, 14, 22, 31, 38, 44, 52, 57]
    for one in Person.select().where(Person.nr.in_(ids)):
        list(one.werke)


def self_join() -> None:
    for one in Person.select().where(Person.nr > 10).limit(14):
        _ = one.chef.bez


def uuid_lazy() -> None:
    """No foreign key, no name: only the values tell that bookings are of accounts."""
    some = [one.guid for one in Konto.select().limit(12)]
    for one in Konto.select().where(Konto.guid.in_(some)):
        list(Buchung.select().where(Buchung.ziel == one.guid))


def requests() -> None:
    """One lookup a request: no loop."""
    for number in range(1, 25, 3):
        Werk.get_by_id(number)
        list(Stimme.select().where(Stimme.zu == number))
        time.sleep(0.3)


globals()[run]()
