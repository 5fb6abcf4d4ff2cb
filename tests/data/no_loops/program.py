"""A small shop's jobs and workers on SQLAlchemy and its connection pool, a behaviour each.

    program.py URL BEHAVIOUR

What comes again and again in the log, and what it is: jobs whose every item is a transaction of its
own, polls by one connection and by a pool, attempts that are rolled back and made again. And near
misses: requests that repeat a query or load rows one by one, though it looks much the same.
"""

import itertools
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg
from sqlalchemy import Engine, Integer, create_engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

DUE = "SELECT id FROM orders WHERE state = 'open' ORDER BY id LIMIT 40"
NEXT = text(
    "SELECT id, payload FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
)
RATE = text("SELECT rate FROM rates WHERE currency = 'EUR'")


class Base(DeclarativeBase):
    """The tables of schema.sql."""


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    customer_id: Mapped[int]
    state: Mapped[str]
    total: Mapped[int]


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str]


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    order_id: Mapped[int]
    amount: Mapped[int]


def engine(url: str, application: str, size: int = 1, **more: object) -> Engine:
    """A pool of so many connections, handed out in turn."""
    return create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_use_lifo=False,
        connect_args={"application_name": application},
        **more,  # type: ignore[arg-type] - options of create_engine
    )


def plain(url: str, application: str) -> str:
    """The same connection for psycopg alone."""
    return f"{url.replace('+psycopg', '')}?application_name={application}"


def due(pool: Engine) -> list[int]:
    """What there is to do, read in one transaction."""
    with Session(pool) as session:
        return list(session.scalars(text(DUE)))


def job(url: str, size: int = 1) -> None:
    """Invoices each open order in a transaction of its own: what fails later leaves the others done."""
    pool = engine(url, "invoicing", size)
    for number in due(pool):
        with Session(pool) as session, session.begin():
            order = session.get(Order, number, with_for_update=True)
            customer = session.get(Customer, order.customer_id)
            session.add(Invoice(order_id=order.id, amount=order.total + len(customer.name)))
            order.state = "invoiced"


def job_pooled(url: str) -> None:
    """The same on four connections, in turn."""
    job(url, 4)


def job_locks(url: str) -> None:
    """The same without an ORM: the list in autocommit, each order locked and changed in a transaction."""
    with psycopg.connect(plain(url, "closing"), autocommit=True) as connection:
        for (number,) in connection.execute(DUE).fetchall():
            with connection.transaction():
                connection.execute("SELECT total FROM orders WHERE id = %s FOR UPDATE", [number])
                connection.execute("UPDATE orders SET state = 'closed' WHERE id = %s", [number])


def job_tagged(url: str) -> None:
    """Mails whose statements name their job, each in a transaction of its own; the list came from a queue."""
    tag = "/*job='reminders'*/"
    with psycopg.connect(plain(url, "worker"), autocommit=True) as connection:
        for number in range(11, 51):
            with connection.transaction():
                connection.execute(f"SELECT customer_id FROM orders WHERE id = %s {tag}", [number])
                connection.execute(f"SELECT name FROM customers WHERE id = %s {tag}", [number])


def job_inserts(url: str) -> None:
    """Writes rows one by one, and commits each."""
    pool = engine(url, "import")
    for number in range(30):
        with Session(pool) as session, session.begin():
            session.add(Invoice(order_id=number + 1, amount=number))


def job_reads(url: str) -> None:
    """Looks each order up in a transaction of its own, for mails that may take long."""
    pool = engine(url, "mailing")
    for number in due(pool):
        with Session(pool) as session, session.begin():
            order = session.get(Order, number)
            session.get(Customer, order.customer_id)
        time.sleep(0.01)


def job_reads_pooled(url: str) -> None:
    """The same on four connections, in turn."""
    pool = engine(url, "mailing", 4)
    for number in due(pool):
        with Session(pool) as session, session.begin():
            order = session.get(Order, number)
            session.get(Customer, order.customer_id)
        time.sleep(0.01)


def request_reads(url: str) -> None:
    """A near miss: requests, each one transaction, that load what each row refers to one by one."""
    pool = engine(url, "shop")
    for number in range(12):
        with Session(pool) as session, session.begin():
            orders = session.scalars(
                select(Order).where(Order.id > 10 * number).order_by(Order.id).limit(10)
            ).all()
            for order in orders:
                session.get(Customer, order.customer_id)


def autocommit_reads(url: str) -> None:
    """A near miss: the same without transactions."""
    pool = engine(url, "shop", isolation_level="AUTOCOMMIT")
    for number in range(12):
        with Session(pool) as session:
            orders = session.scalars(
                select(Order).where(Order.id > 10 * number).order_by(Order.id).limit(10)
            ).all()
            for order in orders:
                session.get(Customer, order.customer_id)
        time.sleep(0.3)


def _poll(
    pool: Engine, waits: Callable[[int], float], times: int, statement: object = NEXT
) -> None:
    for turn in range(times):
        with pool.begin() as connection:
            connection.execute(statement)  # type: ignore[call-overload] - a text
        time.sleep(waits(turn))


def _beside(pool: Engine, ended: threading.Event) -> None:
    """What requests do meanwhile on the same pool."""
    chance = random.Random(1)
    while not ended.is_set():
        with Session(pool) as session:
            order = session.get(Order, chance.randint(1, 200))
            session.get(Customer, order.customer_id)
        time.sleep(chance.uniform(0.03, 0.15))


def _poll_beside(url: str, waits: Callable[[int], float], times: int, size: int) -> None:
    pool, ended = engine(url, "shop", size), threading.Event()
    beside = threading.Thread(target=_beside, args=(pool, ended))
    beside.start()
    _poll(pool, waits, times)
    ended.set()
    beside.join()


def poll_steady(url: str) -> None:
    """Asks for work each 0.1 s."""
    _poll(engine(url, "worker"), lambda _: 0.1, 60)


def poll_steady_pooled(url: str) -> None:
    """The same from a pool of four, whose other users are requests."""
    _poll_beside(url, lambda _: 0.1, 80, 4)


def poll_jitter(url: str) -> None:
    """Asks for work each 0.12 s, up to half of it sooner or later."""
    chance = random.Random(2)
    _poll(engine(url, "worker"), lambda _: 0.12 * chance.uniform(0.5, 1.5), 60)


def poll_jitter_pooled(url: str) -> None:
    """The same from a pool of four, whose other users are requests."""
    chance = random.Random(2)
    _poll_beside(url, lambda _: 0.12 * chance.uniform(0.5, 1.5), 80, 4)


def poll_backoff(url: str) -> None:
    """Asks for work, each time after twice as long up to a second; sooner where there was some."""
    chance = random.Random(3)
    waits = itertools.chain.from_iterable(
        [0.02 * 2**step for step in range(chance.randint(2, 6))] for _ in itertools.count()
    )
    _poll(engine(url, "worker"), lambda _: next(waits), 60)


def poll_autocommit(url: str) -> None:
    """Asks outside of transactions, each 0.15 s, up to half of it sooner or later."""
    chance = random.Random(4)
    pool = engine(url, "worker", isolation_level="AUTOCOMMIT")
    _poll(pool, lambda _: 0.15 * chance.uniform(0.5, 1.5), 60)


def repeated_slowly(url: str) -> None:
    """A near miss: a request that computes for a while between equal queries, among others."""
    pool = engine(url, "shop", isolation_level="AUTOCOMMIT")
    chance = random.Random(5)
    with Session(pool) as session:
        for number in range(1, 13):
            session.get(Order, number)
            session.execute(RATE)
            time.sleep(0.06 * chance.uniform(0.5, 1.5))


def repeated_alone(url: str) -> None:
    """A near miss: requests of a second that ask for the same again and again, and nothing else."""
    pool = engine(url, "shop", isolation_level="AUTOCOMMIT")
    chance = random.Random(6)
    for _ in range(3):
        with Session(pool) as session:
            session.get(Order, chance.randint(1, 200))
            for _ in range(12):
                session.execute(RATE)
                time.sleep(0.08 * chance.uniform(0.5, 1.5))
        time.sleep(3)


def _attempts(pool: Engine, number: int, failures: int) -> None:
    """Take from stock, serializably: what another took meanwhile is an error, and tried again."""
    for attempt in itertools.count():
        with suppress(OperationalError), pool.connect() as connection, connection.begin():
            connection.execute(
                text("SELECT amount FROM stock WHERE product_id = :id"), {"id": number}
            )
            if attempt < failures:
                _take_elsewhere(pool, number)
            connection.execute(
                text("UPDATE stock SET amount = amount - 1 WHERE product_id = :id"), {"id": number}
            )
            return


def _take_elsewhere(pool: Engine, number: int) -> None:
    with pool.connect() as connection, connection.begin():
        connection.execute(
            text("UPDATE stock SET amount = amount - 1 WHERE product_id = :id"), {"id": number}
        )


def retry(url: str) -> None:
    """Eight attempts at one purchase, on one connection; the other purchases are another pool's."""
    pool = engine(url, "shop", isolation_level="SERIALIZABLE")
    other = engine(url, "rival")
    for attempt in range(8):
        with suppress(OperationalError), pool.connect() as connection, connection.begin():
            connection.execute(text("SELECT amount FROM stock WHERE product_id = 7"))
            if attempt < 7:
                _take_elsewhere(other, 7)
            connection.execute(text("UPDATE stock SET amount = amount - 1 WHERE product_id = 7"))


def retry_pooled(url: str) -> None:
    """Attempts at purchases, each on the pool's next connection."""
    pool = engine(url, "shop", 4, isolation_level="SERIALIZABLE")
    for product in (7, 8, 9):
        _attempts(pool, product, 7)
        time.sleep(0.4)


BEHAVIOURS = {
    one.__name__: one
    for one in (
        *(job, job_pooled, job_locks, job_tagged, job_inserts, job_reads, job_reads_pooled),
        *(request_reads, autocommit_reads),
        *(poll_steady, poll_steady_pooled, poll_jitter, poll_jitter_pooled, poll_backoff),
        *(poll_autocommit, repeated_slowly, repeated_alone, retry, retry_pooled),
    )
}

if __name__ == "__main__":
    BEHAVIOURS[sys.argv[2]](sys.argv[1])
