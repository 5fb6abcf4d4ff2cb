"""The statements that the generated traffic runs: about 200 shapes from 24 templates.

In a template `<t>` and `<u>` stand for tables, `<i1>` `<s1>` `<m1>` … for columns with whole
numbers, texts and money, `<all>` for every column, and `{kind}` for a literal (log_literals.py). Templates sent by the
extended protocol carry `$1`, `$2`, … there, and their values in DETAIL.
"""

import re
from dataclasses import dataclass, field
from random import Random

from log_literals import Draw, Literals, as_parameter

TABLES = (
    "users", "orders", "order_items", "products", "invoices", "payments", "events", "audit_log",
    "carts", "addresses", "reviews", "tickets", "comments", "tags", "accounts", "shipments",
    "coupons", "devices", "teams", "subscriptions",
)  # fmt: skip
COLUMNS = {
    "i": ("user_id", "parent_id", "qty", "version", "score", "position", "team_id", "visits"),
    "s": ("status", "email", "name", "state", "region", "sku", "kind", "note", "country"),
    "m": ("amount", "price", "total", "discount"),
}
ALL = ", ".join(f'a."{name}" AS "t0_{name}"' for names in COLUMNS.values() for name in names)

SIMPLE = (
    'SELECT "<t>".* FROM "<t>" WHERE "<t>"."<i1>" IN ({ints}) AND "<t>"."<s1>" = {text} ORDER BY "<t>"."id" ASC',
    "INSERT INTO <t> (<i1>, <s1>, <m1>) VALUES {rows} RETURNING id",
    "WITH recent AS (\n\tSELECT id, <i1>, row_number() OVER (PARTITION BY <i2> ORDER BY created_at DESC) AS rn\n\tFROM <t>\n\tWHERE <i3> = ANY (ARRAY[{int}, {int}, {int}])\n)\nSELECT r.*, u.<s1>\nFROM recent r LEFT JOIN <u> u ON u.id = r.<i1>\nWHERE r.rn <= {small} AND u.<s2> IS NOT NULL AND (u.active = {bool} OR u.<i2> < {negative})",
    "DELETE FROM <t> WHERE token = {uuid} AND updated_at < {time}",
    "SELECT EXISTS (SELECT 1 FROM <t> WHERE <i1> = {int} AND <s1> = {escaped})",
    "SELECT <s1> FROM <t> WHERE payload @> {json}::jsonb AND <s2> ILIKE {text} AND body <> {dollar}",
    "SELECT COUNT(*) FROM <t> INNER JOIN <u> ON <u>.id = <t>.<i1> WHERE <u>.<i2> = {int} AND <t>.<s1> NOT IN ({text}, {text}) AND <t>.<m1> = {negative}",
    "SELECT date_trunc('day', created_at) AS day, sum(<m1>) FROM <t> WHERE created_at > now() - INTERVAL {interval} AND <m2> BETWEEN {money} AND {float} GROUP BY 1 ORDER BY 1",
    'SELECT <all>, b."id" AS "t1_id" FROM "<t>" a LEFT OUTER JOIN "<u>" b ON b."id" = a."<i1>" WHERE (a."<s1>" = {text} AND a."<i2>" > {int}) LIMIT {small}',
    "/* name: List<t> :many */ SELECT id, <s1>, <m1> FROM <t> WHERE <i1> = {int} AND deleted_at IS NULL",
    "UPDATE <t> SET payload = {bytes}::bytea, flags = flags | {bits}, <i1> = NULL WHERE id = {int}",
    'SELECT "id", "<s1>" FROM "<t>" ORDER BY "created_at" DESC LIMIT 25 OFFSET {small}',
    'SELECT "größe", "naïve <s1>" FROM "Übersicht <t>" WHERE "größe" > {int} -- nur große',
)
EXTENDED = (
    'SELECT "public"."<t>"."id", "public"."<t>"."<s1>", "public"."<t>"."<s2>", "public"."<t>"."<i1>", "public"."<t>"."created_at" FROM "public"."<t>" WHERE ("public"."<t>"."id" = {int} AND 1=1) LIMIT {small} OFFSET {small}',
    "select a.<s1>, a.<i1> from <t> a where a.<s2> = {text} and a.<m1> > {money} and a.created_at >= {time}::timestamptz",
    'UPDATE "<t>" SET "<s1>" = {text}, "<i1>" = {int}, "updated_at" = {time} WHERE "<t>"."id" = {int}',
    "SELECT t.<s1>,\n       count(*) AS n,\n       sum(o.<m1>) AS total\n  FROM <t> t\n  JOIN <u> o ON o.<i1> = t.id\n WHERE o.created_at BETWEEN {date}::date AND {date}::date\n   AND t.<s2> = {text} -- filter\n GROUP BY 1\nHAVING count(*) > {small}\n ORDER BY 3 DESC\n LIMIT {small} OFFSET {small}",
    'SELECT "id", "<s1>" FROM "<t>" WHERE "<i1>" = ANY({array}) ORDER BY "id"',
    "INSERT INTO <t> (id, <s1>, <s2>, payload) VALUES ({uuid}, {text}, {text}, {json}) ON CONFLICT (id) DO UPDATE SET <s1> = EXCLUDED.<s1>",
    'SELECT t."id" FROM "<t>" t WHERE t."<i1>" = {int} AND t."active" = {bool} FOR UPDATE SKIP LOCKED',
    "SELECT pg_advisory_xact_lock({int})",
)
# A list and the statement that a loop over it repeats: what an ORM's lazy loading does.
LOADS = (
    ('SELECT "id", "title" FROM "posts" WHERE "forum_id" = {int} LIMIT 50', 'SELECT "id", "body" FROM "post_comments" WHERE "post_id" = {int}'),
    ("SELECT id, customer_id FROM sales WHERE shop_id = {int} ORDER BY id DESC LIMIT 60", "SELECT id, name, email FROM customers WHERE id = {int}"),
    ('SELECT "books".* FROM "books" WHERE "books"."shelf_id" = {int}', 'SELECT "authors".* FROM "authors" WHERE "authors"."id" = {int} LIMIT 1'),
    ("SELECT t.id, t.name FROM projects t WHERE t.owner_id = {int}", "SELECT count(*) FROM tasks WHERE project_id = {int} AND done = {bool}"),
)  # fmt: skip
# Transaction control and the like: (text, typical µs). They are executions, not the team's.
CONTROL = {"BEGIN": 12, "COMMIT": 160, "ROLLBACK": 20, "SELECT 1": 15}

COPIES = 9  # shapes per template, on other tables and columns
_HOLE = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"<([tuism])(\d?)>")


@dataclass(slots=True)
class Tally:
    """What was logged of one shape; durations in whole µs."""

    sql: str
    calls: int = 0
    total_us: int = 0
    errors: int = 0
    plans: int = 0
    parses: int = 0
    parse_us: int = 0
    binds: int = 0
    bind_us: int = 0


@dataclass(slots=True)
class Shape:
    """A statement: its text with `%s` per literal, and how long it typically takes (median, µs).

    `list_at` is the place of the literal that is a list (IN or VALUES; -1: none), whose length
    decides between two tallies, and `separator` is what stands between its items. `prepared` is
    the text of the extended protocol, "" in the simple one.
    """

    number: int
    name: str
    text: str
    draws: tuple[Draw, ...]
    typical_us: int
    query_id: int
    table: str = ""
    list_at: int = -1
    separator: str = ""
    prepared: str = ""
    control: bool = False
    tag: str = "SELECT"
    tallies: dict[str, Tally] = field(default_factory=dict)

    def render(self) -> tuple[str, Tally, int]:
        """A text with fresh literals, the tally it counts in, and PostgreSQL's query_id."""
        literals = tuple([draw() for draw in self.draws])
        text = self.text % literals
        if self.list_at < 0:
            return text, self.tally("", text), self.query_id
        items = 1 + literals[self.list_at].count(self.separator)
        # Until version 18 PostgreSQL gives each length of a list a query_id of its own.
        query_id = (self.query_id + items * 0x9E3779B97F4A7C15) % (1 << 64) - (1 << 63)
        return text, self.tally("many" if items > 1 else "one", text), query_id

    def parameters(self) -> str:
        """The DETAIL of a bind or an execute, with fresh values; "" without parameters."""
        if not self.draws:
            return ""
        values = [f"${n} = {as_parameter(draw())}" for n, draw in enumerate(self.draws, 1)]
        return "parameters: " + ", ".join(values)

    def tally(self, arity: str, text: str) -> Tally:
        """Where executions with lists of one or many are counted; `text` becomes its example."""
        found = self.tallies.get(arity)
        if found is None:
            found = self.tallies[arity] = Tally(text)
        return found


class Shapes:
    """All shapes of a run: `everyday` with falling weights, `loads` (list, child), `control`."""

    def __init__(self, rng: Random, literals: Literals) -> None:
        """Choose tables, columns, times and ids from `rng`."""
        self._rng = rng
        self._draws = literals.draws
        self._texts: set[str] = set()
        self.all: list[Shape] = []
        self.everyday: list[Shape] = []
        for template in (*SIMPLE, *EXTENDED) * COPIES:
            self._add_everyday(template)
        rng.shuffle(self.everyday)
        self.loads = [
            (self._add(f"list-{n}", parent, 900, extended=bool(n % 2)),
             self._add(f"load-{n}", child, 150, extended=bool(n % 2)))
            for n, (parent, child) in enumerate(LOADS)
        ]  # fmt: skip
        self.control = {text: self._add_control(text, us) for text, us in CONTROL.items()}

    def _add_everyday(self, template: str) -> None:
        text, table = self._named(template)
        if text in self._texts:  # without names, or the same ones drawn again
            return
        self._texts.add(text)
        typical_us = int(60 * 1.9 ** (self._rng.random() * 10))
        name = f"shape-{len(self.everyday):03d}"
        extended = template in EXTENDED
        self.everyday.append(self._add(name, text, typical_us, extended=extended))
        self.everyday[-1].table = table

    def _named(self, template: str) -> tuple[str, str]:
        """The template with names in it, and the table that it is about."""
        rng = self._rng
        tables = dict(zip("tu", rng.sample(TABLES, 2), strict=True))
        columns = {kind: rng.sample(names, 4) for kind, names in COLUMNS.items()}
        template = template.replace("<all>", ALL)
        named = _NAME.sub(
            lambda found: tables.get(found[1]) or columns[found[1]][int(found[2])], template
        )
        return named, tables["t"]

    def _add(self, name: str, template: str, typical_us: int, *, extended: bool) -> Shape:
        kinds = _HOLE.findall(template)
        text = _HOLE.sub("%s", template.replace("%", "%%"))
        prepared = ""
        if extended:
            prepared = text % tuple(f"${n}" for n in range(1, len(kinds) + 1))
        lists = [place for place, kind in enumerate(kinds) if kind in ("ints", "rows")]
        word = re.search(r"SELECT|INSERT|UPDATE|DELETE", text, re.IGNORECASE)
        shape = Shape(
            number=len(self.all),
            name=name,
            text=text,
            draws=tuple(self._draws[kind] for kind in kinds),
            typical_us=typical_us,
            query_id=self._rng.getrandbits(63) - (1 << 62),
            list_at=lists[0] if lists else -1,
            separator="), (" if "rows" in kinds else ",",
            prepared=prepared,
            tag=word[0].upper() if word else template.split(maxsplit=1)[0],
        )
        self.all.append(shape)
        return shape

    def _add_control(self, text: str, typical_us: int) -> Shape:
        shape = self._add(text, text, typical_us, extended=False)
        shape.control = True
        return shape
