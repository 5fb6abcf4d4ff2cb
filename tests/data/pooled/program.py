"""A small shop behind a pooler: psycopg in autocommit, several clients at once, requests of ten kinds.

    program.py CONNECTION TRUTH REQUESTS CLIENTS [--tagged] [--transactions] [--at-once]

CONNECTION is PgBouncer's. For each statement a line goes to TRUTH (JSON lines as benchmarks/applications
writes them): the request, the text, the parameters and the place in the program that sent it. With
--tagged each statement carries a traceparent, as sqlcommenter writes it. With --transactions every third
request is one transaction, which a pooler in statement mode refuses. With --at-once all clients begin in the
same moment.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]


class Request:
    """One request of one client: its statements, and what is noted of each."""

    def __init__(
        self, connection: psycopg.Connection[Row], number: int, route: str, *, tagged: bool
    ) -> None:
        self._connection = connection
        self._number = number
        self._route = route
        self._tag = f" /*traceparent='00-{number:032x}-{number:016x}-01'*/" if tagged else ""
        self.noted: list[Row] = []

    def all(self, sql: str, *values: object) -> list[Row]:
        """The rows of a statement."""
        frame = sys._getframe(1)  # noqa: SLF001 - the place that sent it is the truth
        if frame.f_code.co_name == "one":
            frame = frame.f_back or frame
        path = []
        while frame is not None and frame.f_code.co_filename == __file__:
            path.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
            frame = frame.f_back  # type: ignore[assignment]
        self.noted.append(
            {
                "request": self._number, "route": self._route, "statement": _numbered(sql) + self._tag,
                "parameters": json.dumps([str(one) for one in values]), "path": path[::-1],
                "at": time.time(),
            }
        )  # fmt: skip
        return self._connection.execute(sql + self._tag, values).fetchall()

    def one(self, sql: str, *values: object) -> Row:
        """The first row of a statement."""
        return self.all(sql, *values)[0]


def _numbered(sql: str) -> str:
    """The text as it is sent: %s is $1, $2 …"""
    first, *others = sql.split("%s")
    return first + "".join(f"${number}{piece}" for number, piece in enumerate(others, 1))


def signed_in(request: Request, chance: random.Random) -> Row:
    key = request.one("SELECT md5(%s::text) AS key", chance.randint(1, 400))["key"]
    session = request.one("SELECT key, customer_id FROM sessions WHERE key = %s", key)
    return request.one(
        "SELECT id, name, level FROM customers WHERE id = %s", session["customer_id"]
    )


def menu(request: Request) -> None:
    request.all("SELECT id, name FROM categories WHERE parent_id IS NULL ORDER BY name")


def front(request: Request, chance: random.Random) -> None:
    menu(request)
    products = request.all(
        "SELECT id, name, brand_id FROM products ORDER BY price DESC, id LIMIT 12"
    )
    brands = list({one["brand_id"] for one in products})
    request.all("SELECT id, name FROM brands WHERE id = ANY(%s)", brands)


def category_lazily(request: Request, chance: random.Random) -> None:
    """Brand and stock of each product, one by one."""
    menu(request)
    category = request.one(
        "SELECT id, name, parent_id FROM categories WHERE id = %s", chance.randint(7, 36)
    )
    products = request.all(
        "SELECT id, name, price, brand_id FROM products WHERE category_id = %s ORDER BY id LIMIT 15 OFFSET %s",
        category["id"], chance.choice([0, 15]),
    )  # fmt: skip
    for product in products:
        request.one("SELECT id, name FROM brands WHERE id = %s", product["brand_id"])
        request.all("SELECT place, amount FROM stock WHERE product_id = %s", product["id"])


def category_eagerly(request: Request, chance: random.Random) -> None:
    menu(request)
    category = request.one(
        "SELECT id, name, parent_id FROM categories WHERE id = %s", chance.randint(7, 36)
    )
    products = request.all(
        "SELECT p.id, p.name, b.name AS brand FROM products p JOIN brands b ON b.id = p.brand_id"
        " WHERE p.category_id = %s ORDER BY p.id LIMIT 15",
        category["id"],
    )
    request.all(
        "SELECT product_id, sum(amount) FROM stock WHERE product_id = ANY(%s) GROUP BY product_id",
        [one["id"] for one in products],
    )


def product(request: Request, chance: random.Random) -> None:
    """The customer of each review, one by one."""
    found = request.one(
        "SELECT id, name, price, category_id FROM products WHERE id = %s", chance.randint(1, 1800)
    )
    request.one("SELECT id, name FROM categories WHERE id = %s", found["category_id"])
    reviews = request.all(
        "SELECT id, customer_id, stars, body FROM reviews WHERE product_id = %s", found["id"]
    )
    for review in reviews:
        request.one("SELECT name, level FROM customers WHERE id = %s", review["customer_id"])
    request.all(
        "SELECT t.id, t.name FROM tags t JOIN product_tags pt ON pt.tag_id = t.id WHERE pt.product_id = %s",
        found["id"],
    )


def orders(request: Request, chance: random.Random) -> None:
    """Lines of each order, the product of each line, and the shipment: nested, one by one."""
    customer = signed_in(request, chance)
    found = request.all(
        "SELECT id, placed, state FROM orders WHERE customer_id = %s ORDER BY placed DESC LIMIT 6",
        customer["id"],
    )
    for order in found:
        lines = request.all(
            "SELECT id, product_id, amount FROM order_lines WHERE order_id = %s", order["id"]
        )
        for line in lines:
            request.one("SELECT id, name, price FROM products WHERE id = %s", line["product_id"])
        request.all("SELECT id, carrier FROM shipments WHERE order_id = %s", order["id"])


def orders_in_batches(request: Request, chance: random.Random) -> None:
    customer = signed_in(request, chance)
    found = request.all(
        "SELECT id, placed, state FROM orders WHERE customer_id = %s ORDER BY placed DESC LIMIT 20",
        customer["id"],
    )
    ids = [one["id"] for one in found]
    lines = request.all(
        "SELECT order_id, product_id, amount FROM order_lines WHERE order_id = ANY(%s)", ids
    )
    request.all(
        "SELECT id, name FROM products WHERE id = ANY(%s)",
        list({one["product_id"] for one in lines}),
    )
    request.all("SELECT order_id, carrier FROM shipments WHERE order_id = ANY(%s)", ids)


def compared(request: Request, chance: random.Random) -> None:
    """Products whose ids come from a form: no statement has told them."""
    signed_in(request, chance)
    for number in chance.sample(range(1, 1801), 7):
        request.one(
            "SELECT p.id, p.name, p.price, c.name AS category FROM products p"
            " JOIN categories c ON c.id = p.category_id WHERE p.id = %s",
            number,
        )
        request.one("SELECT count(*), avg(stars) FROM reviews WHERE product_id = %s", number)


def tagged_products(request: Request, chance: random.Random) -> None:
    """The tags of each product, by a link table, one by one."""
    tag = request.one("SELECT id, name FROM tags WHERE id = %s", chance.randint(1, 40))
    products = request.all(
        "SELECT p.id, p.name FROM products p JOIN product_tags pt ON pt.product_id = p.id"
        " WHERE pt.tag_id = %s ORDER BY p.id LIMIT 10",
        tag["id"],
    )
    for one in products:
        request.all(
            "SELECT t.name FROM tags t JOIN product_tags pt ON pt.tag_id = t.id"
            " WHERE pt.product_id = %s ORDER BY t.name",
            one["id"],
        )


def account(request: Request, chance: random.Random) -> None:
    customer = signed_in(request, chance)
    request.one("SELECT value FROM settings WHERE name = %s", f"setting {chance.randint(1, 20)}")
    request.one("SELECT count(*) FROM orders WHERE customer_id = %s", customer["id"])
    request.all(
        "SELECT id, stars FROM reviews WHERE customer_id = %s ORDER BY id DESC LIMIT 5",
        customer["id"],
    )


def reviewers(request: Request, chance: random.Random) -> None:
    """How many reviews and orders each of some customers has, one by one."""
    customers = request.all(
        "SELECT id, name FROM customers WHERE level = %s AND id > %s ORDER BY id LIMIT 9",
        chance.randint(0, 3), chance.randint(1, 300),
    )  # fmt: skip
    for one in customers:
        request.one("SELECT count(*) AS reviews FROM reviews WHERE customer_id = %s", one["id"])
        request.one("SELECT max(placed) AS last FROM orders WHERE customer_id = %s", one["id"])


ROUTES = (
    *(
        front,
        front,
        account,
        account,
        account,
        category_eagerly,
        category_eagerly,
        orders_in_batches,
    ),
    *(category_lazily, product, product, orders, compared, tagged_products, reviewers),
)


def client(options: argparse.Namespace, numbers: Sequence[int], noted: list[Row]) -> None:
    """Requests one after the other, with a little time for what else a request does."""
    with psycopg.connect(
        options.connection, autocommit=True, prepare_threshold=None, row_factory=dict_row
    ) as connection:
        time.sleep(0 if options.at_once else 0.03 * numbers[0])
        for number in numbers:
            chance = random.Random(number)
            route = chance.choice(ROUTES)
            request = Request(connection, number, route.__name__, tagged=options.tagged)
            whole = options.transactions and number % 3 == 0
            with connection.transaction() if whole else nullcontext():
                request.one(
                    "SELECT value FROM settings WHERE name = %s", "setting 1"
                )  # each request's first
                route(request, chance)
            noted += request.noted
            time.sleep(chance.uniform(0, 0.01))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("connection")
    parser.add_argument("truth", type=Path)
    parser.add_argument("requests", type=int)
    parser.add_argument("clients", type=int)
    parser.add_argument("--tagged", action="store_true")
    parser.add_argument("--transactions", action="store_true")
    parser.add_argument("--at-once", action="store_true")
    options = parser.parse_args()
    noted: list[Row] = []
    threads = [
        threading.Thread(
            target=client,
            args=(options, range(first, options.requests + 1, options.clients), noted),
        )
        for first in range(1, options.clients + 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    options.truth.write_text("".join(json.dumps(one) + "\n" for one in noted), encoding="utf-8")


if __name__ == "__main__":
    main()
