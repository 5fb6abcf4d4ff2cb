"""SQL for tests of keys and scanners: whole statements from a grammar, and text made of fragments.

No test itself. Test folders are no packages, so a test loads this file by its path (as
test_keys.py does). `Statement` is a grammar with two sources of chance: one for the structure, one
for the literals, so that a statement can be had again with other literals of the same classes.
`texts` is a Hypothesis strategy of what a scanner has to survive, mostly no valid SQL.
"""

import random
import re
from collections.abc import Callable, Iterator

from hypothesis import strategies as st

# A slot is a private-use character and the first letter of the literal's class.
_SLOT = re.compile("\ue000(.)")
_NAME_OR_SPACE = re.compile(r'"[^"]*"| ')
_VALUES = {
    "n": ("0", "7", "42", "1.5", ".5", "1.", "1e9", "2E-3", "0x1F", "0b01", "0o17", "1_000", "9" * 30),
    "s": (
        *("'a'", "''", "'it''s'", "''''", "'-- x'", "'/* y'", "'$$'", "'\\'", "'\"'", "';'", "'$1'"),
        *("'in (1, 2, 3)'", "'é😀\u00a0'", "'a\nb'", "'a'\n'b'", "'(1), (1)'", "'E''x'"),
        *("$$q$$", "$$it's$$", "$t$ $$ ' -- $t$", "$$$$", "$é$'$é$"),
    ),
    "e": ("'a'", "''", "'\\''", "'it''s'", "'\\\\'", "'a\\n\\', '", "'\\', '"),
    "b": ("'0'", "''", "'0101'"),
    "p": ("$1", "$2", "$10"),
}  # fmt: skip
_SEPARATORS = (
    *("  ", "\n", "\t", "\r\n", "\r", "\v", "\f", " \n ", "/**/", " /* c */ ", "/* 'it */", "/*1*/"),
    *(" -- c\n", " -- it's\n", "--\r", " -- c\r\n", ' /* " */ ', "/* ; */", " -- 5, $1\n"),
)  # fmt: skip
_COLUMNS = (
    *("a", "b", "t.a", "t1c2", "a$1", "é", '"a"', '"t"."a"', '"c 2"', '"c  2"', '"c\n2"', '"1a"', '"a""1"'),
    *('"it\'s"', '"x in (0, 0, 0)"', '"x in (0, 0)"', '"values (a), (a)"', '"--"', '"$1"', "myarray"),
)  # fmt: skip
_TYPES = (
    *("int", "text", "numeric(10,2)", "varchar(5)", "float", "float(3)", "float(30)", "float ( 30)"),
    *("timestamp(3) with time zone", "int[]", "int[3]", "int[4]", "int[   4]", "int[3][4]", "bit(3)"),
    *("int array[3]", "int ARRAY [4]", "numeric(10) array[3]", "myarray[3]", "myarray[4]", "uuid"),
    *('"my type"', "interval day to second(3)", "float(3)[2]", "pg_catalog.int4", "FLOAT(3) ARRAY[5]"),
)  # fmt: skip
_CALLS = (
    *("now()", "current_time(3)", "current_time(4)", "current_timestamp ( 3 )", "localtime(2)"),
    *("localtimestamp(1)", "current_timestamp", "current_date", "a[1]", "a[2]", "a[1:2]", "(a)[3]"),
)  # fmt: skip
_OPERATORS = (
    *("=", "<>", "<", ">=", "+", " - ", "*", "/", "||", "@>", "->", "->>", "#>>", "~*", "&&", "?"),
    *(" IS DISTINCT FROM ", " LIKE ", " SIMILAR TO ", " AND ", " OR ", "@- ", "<->", "^@"),
)  # fmt: skip
_DEEPEST = 4  # SELECTs inside one another


class Statement:
    """One statement of the grammar, the same for the same `number`.

    `stripped`: whether its key may hold no literal, so that `text` of any variant has one key.
    """

    def __init__(self, number: int) -> None:
        self._chance = random.Random(number)  # noqa: S311 - chance that can be repeated
        self._number = number
        self._depth = 0
        self.stripped = True
        template = self._one_of(
            (6, self._select),
            (2, self._insert),
            (1, self._update),
            (1, self._delete),
            (1, self._with),
            (1, self._merge),
            (1, self._cursor),
            (1, self._unstripped),
        )
        self._template = self._spaced(template)

    def text(self, variant: int = 0) -> str:
        """The statement; another `variant` has other literals of the same classes."""
        chance = random.Random(self._number * 1000 + variant)  # noqa: S311 - as above
        return _SLOT.sub(lambda slot: chance.choice(_VALUES[slot[1]]), self._template)

    def _one_of(self, *rules: tuple[int, Callable[[], str]]) -> str:
        weights, choices = zip(*rules, strict=True)
        return self._chance.choices(choices, weights)[0]()

    def _some(self, rule: Callable[[], str], most: int, separator: str = ", ") -> str:
        return separator.join(rule() for _ in range(self._chance.randint(1, most)))

    def _maybe(self, text: str) -> str:
        return text if self._chance.random() < 0.3 else ""

    def _spaced(self, template: str) -> str:
        """Some spaces become other white space or comments; some statements lose their capitals."""
        if self._chance.random() < 0.3:
            template = template.lower()
        rate = self._chance.choice((0, 0, 0.1, 0.4))

        def gap(found: re.Match[str]) -> str:
            if found[0] != " " or self._chance.random() >= rate:
                return found[0]
            return self._chance.choice(_SEPARATORS)

        ending = self._chance.choice(("", "", "", ";", " ; ", "\n", " -- end", "/* end */", ";;"))
        return _NAME_OR_SPACE.sub(gap, template) + ending

    def _literal(self) -> str:
        return self._one_of(
            (4, lambda: "\ue000n"),
            (4, lambda: "\ue000s"),
            (1, lambda: self._chance.choice("eE") + "\ue000e"),
            (1, lambda: self._chance.choice("bBxXnN") + "\ue000b"),
            (2, lambda: "\ue000p"),
            (1, lambda: self._chance.choice(("-", "- ", "+")) + "\ue000n"),
            (1, lambda: self._chance.choice(("NULL", "TRUE", "false"))),
        )

    def _column(self) -> str:
        return self._chance.choice(_COLUMNS)

    def _type(self) -> str:
        return self._chance.choice(_TYPES)

    def _value(self) -> str:
        return self._one_of(
            (8, self._literal),
            (6, self._column),
            (1, lambda: self._chance.choice(_CALLS)),
            (1, lambda: f"{self._literal()}::{self._type()}"),
            (1, lambda: f"CAST({self._column()} AS {self._type()})"),
            (1, lambda: f"{self._column()}::{self._type()}"),
            (1, lambda: f"ARRAY[{self._some(self._literal, 3)}]"),
            (1, lambda: f"date \ue000s + interval \ue000s {self._maybe('day')}"),
            (1, lambda: f"coalesce({self._some(self._value, 3)})"),
            (1, lambda: f"s.values ({self._literal()}), ({self._literal()})"),
            (1, lambda: f"CASE WHEN {self._condition()} THEN {self._value()} ELSE 0 END"),
            (1, lambda: f"({self._select()})"),
            (1, lambda: f"({self._value()}{self._chance.choice(_OPERATORS)}{self._value()})"),
            (1, lambda: f"extract(year FROM {self._column()})"),
            (1, lambda: f"JSON_OBJECT({self._literal()}: {self._value()})"),
        )

    def _in_list(self) -> str:
        """Equal classes side by side, some with casts, and all sorts between them."""
        item = self._literal()
        cast = self._chance.choice(
            ("", "", "", "::int", '::"my type"', "::text[]", "::numeric(3,1)")
        )
        items = [item + cast for _ in range(self._chance.randint(1, 5))]
        if self._chance.random() < 0.4:
            items.insert(self._chance.randrange(len(items) + 1), self._value())
        comma = self._chance.choice((",", ", ", ", ", " , "))
        negated = self._chance.choice(("IN", "NOT IN", "in", "In"))
        return f"{self._column()} {negated}{self._chance.choice((' ', ' ', '', '  '))}({comma.join(items)})"

    def _condition(self) -> str:
        return self._one_of(
            (4, lambda: f"{self._column()} = {self._value()}"),
            (4, self._in_list),
            (2, lambda: f"{self._value()}{self._chance.choice(_OPERATORS)}{self._value()}"),
            (1, lambda: f"{self._column()} = ANY({self._value()})"),
            (1, lambda: f"{self._column()} = ANY (ARRAY[{self._some(self._literal, 4)}]::{self._type()})"),
            (1, lambda: f"{self._column()} BETWEEN {self._value()} AND {self._value()}"),
            (1, lambda: f"({self._column()}, b) = ({self._value()}, {self._value()})"),
            (1, lambda: f"{self._column()} LIKE \ue000s ESCAPE \ue000s"),
            (1, lambda: f"({self._some(self._condition, 2, ' OR ')})"),
            (1, lambda: f"EXISTS ({self._select()})"),
        )  # fmt: skip

    def _where(self) -> str:
        if self._chance.random() < 0.2:
            return ""
        return f" WHERE {self._some(self._condition, 2, ' AND ')}"

    def _source(self) -> str:
        return self._one_of(
            (6, lambda: self._chance.choice(("t", "t x", "t AS x", '"T"', "s.t", "t1"))),
            (1, lambda: f"t JOIN u ON {self._condition()}"),
            (1, lambda: f"generate_series(\ue000n, \ue000n) {self._maybe('g(a)')}"),
            (1, lambda: f"(VALUES {self._rows()}) v(a)"),
            (1, lambda: f"({self._select()}) q"),
            (1, lambda: "t TABLESAMPLE bernoulli(\ue000n)"),
        )

    def _select(self) -> str:
        if self._depth >= _DEEPEST:
            return "SELECT a FROM t WHERE b = \ue000n"
        self._depth += 1
        parts = (
            f"SELECT {self._maybe('DISTINCT ')}{self._some(self._value, 3)}",
            self._maybe(" AS b"),
            f" FROM {self._source()}{self._where()}" if self._chance.random() < 0.8 else "",
            self._maybe(" GROUP BY a, \ue000n"),
            self._maybe(f" ORDER BY {self._some(self._value, 3)}"),
            self._maybe(" LIMIT \ue000n"),
            self._maybe(" OFFSET \ue000p"),
            self._maybe(" FOR UPDATE"),
        )
        self._depth -= 1
        return "".join(parts)

    def _rows(self) -> str:
        """Rows of VALUES: equal ones, mostly."""
        width = self._chance.randint(1, 3)
        row = ", ".join(self._literal() for _ in range(width))
        rows = [row] * self._chance.randint(1, 4)
        if self._chance.random() < 0.3:
            rows.append(", ".join(self._value() for _ in range(width)))
        return self._chance.choice((", ", ",", " , ")).join(f"({row})" for row in rows)

    def _insert(self) -> str:
        values = self._one_of(
            (4, lambda: f"VALUES {self._rows()}"), (1, self._select), (1, lambda: "DEFAULT VALUES")
        )
        conflict = f" ON CONFLICT (a) DO UPDATE SET b = {self._value()}"
        return (
            f"INSERT INTO t {self._maybe('(a, b) ')}{values}{self._maybe(conflict)}"
            + self._maybe(" RETURNING a")
        )

    def _update(self) -> str:
        return f"UPDATE t SET a = {self._value()}, b = {self._value()}{self._where()}"

    def _delete(self) -> str:
        return f"DELETE FROM t {self._maybe('USING u')}{self._where()}"

    def _with(self) -> str:
        return f"WITH x AS ({self._select()}) {self._one_of((1, self._select), (1, self._update))}"

    def _merge(self) -> str:
        action = self._chance.choice(("UPDATE SET a = ", "UPDATE SET b = "))
        return (
            f"MERGE INTO t USING u ON {self._condition()} WHEN MATCHED THEN {action}{self._value()}"
        )

    def _cursor(self) -> str:
        name = self._chance.choice(("c", "c_17", '"c 1"', "é"))
        options = self._chance.choice(("", "BINARY ", "no scroll ", "INSENSITIVE SCROLL "))
        hold = self._chance.choice(("", "WITH HOLD ", "without hold "))
        self.stripped = False  # a comment among the options leaves the text as it is
        return f"DECLARE {name} {options}CURSOR {hold}FOR {self._select()}"

    def _unstripped(self) -> str:
        self.stripped = False
        name = self._chance.choice(("a", "b1", '"c d"', "all", '"ALL"', "é", "prepare"))
        return self._chance.choice(
            (
                *(f"SAVEPOINT {name}", f"RELEASE {name}", f"RELEASE SAVEPOINT {name}"),
                *(f"ROLLBACK TO {name}", f"ROLLBACK TO SAVEPOINT {name}", f"CLOSE {name}"),
                *(f"DEALLOCATE {name}", f"FETCH 5 FROM {name}", f"FETCH FORWARD ALL IN {name}"),
                *(f"FETCH 6 FROM {name}", f"FETCH BACKWARD 5 IN {name}", f"FETCH NEXT FROM {name}"),
                *("BEGIN", "COMMIT", "SET a = 5", "SET a = 'x'", "SHOW a", "TABLE t"),
                *(f"EXPLAIN {self._select()}", f"{self._select()}; {self._select()}"),
                *("SELECT U&'\\0061'", "SELECT U&'\\0062'", 'SELECT U&"a" FROM t', "SELECT U&'a''b', 5"),
                *("SELECT /* a /* b */ 5 */ a", "SELECT /* a /* b */ */ 5", "CREATE TABLE t (a float(3))"),
                *("PREPARE p AS SELECT 1", "EXECUTE p(1)", "EXECUTE p(2)", "CALL f(1)", "VACUUM t"),
            )
        )  # fmt: skip


# What a scanner can get wrong begins or ends with one of these.
FRAGMENTS = (
    *("'", "''", "'a'", "'it''s'", "'''", "E'", "e'\\''", "E'a\\nb'", "\\", "\\'", "N'x'", "b'01'"),
    *("X'1F'", "U&'", 'u&"', '"', '""', '"a b"', '"a""b"', '"x1"', '"1x"', '"in (0,0,0)"', '"a.5"'),
    *("$1", "$12", "$", "$$", "$a$", "$a1$", "a$1", "$$x$$", "$t$ 'q' $t$", "$$it's$$", "$é$x$é$"),
    *("--", "-- c\n", "-- it's\n", "--\r", "-", "/*", "*/", "/* c */", "/* ' */", "/**/", "/*/"),
    *("/* a /* b */ */", "*", "/", "0", "1", "42", "1.5", ".5", "1.", "1e5", "1e", "1.e", "1E+5"),
    *("0x1F", "0b01", "0b12", "0o17", "0o8", "1_000", "1..2", "1.2.3", "12a", "a12", "a.1", ".", ".."),
    *(" ", "  ", "\n", "\t", "\r\n", "\r", "\v", "\f", "\u00a0", "\u2003", "\x1c", "\x85", "\x00"),
    *("é", "日本", "😀", "٣", "\u017f", "שלום", "\ufeff", "a", "b", "e", "E", "n", "x", "u", "U&", "_", "in"),
    *("(", ")", ",", ", ", ";", ":", "::", "::int", "::text[]", "[", "]", "[1]", "[1:2]", "[ 3]"),
    *("ARRAY[", "array [1", "myarray[2]", "int ARRAY[3]", "float(", "float(3)", "current_time (2)"),
    *("localtimestamp(3)", "CURRENT_TIMESTAMP(1)", " IN (", "in(", " in  ( ", " IN (1, 2, 3)"),
    *(" in ('a','b','c')", " IN ($1, $2,$3)", " IN (1, 2, 3.5)", " IN ('a''b', 'c')", " IN (1,2,-3)"),
    *(" IN ('x'::uuid, 'y'::uuid)", " in (1, 'a', 2)", " IN ('a)', 'b')", " in (1 , 2)", " IN ($1,2)"),
    *("VALUES", "values ", "VALUES (1, 'a'), (2, 'b')", "(1,2),(3,4)", "SELECT ", "select", "WITH "),
    *("INSERT INTO t VALUES ", "UPDATE t SET ", "DELETE FROM t ", "MERGE ", "DECLARE c CURSOR FOR "),
    *("SAVEPOINT s1", "FETCH 5 FROM ", "BEGIN", " FROM t WHERE id = ", " AND ", "= ", "->>'k'", "@>"),
)  # fmt: skip


def texts(most_fragments: int = 12) -> st.SearchStrategy[str]:
    """SQL-like random text: fragments side by side, most of it behind SELECT, some quite free."""
    fragment = st.one_of(
        st.sampled_from(FRAGMENTS), st.sampled_from(FRAGMENTS), st.text(max_size=4)
    )
    soup = st.lists(fragment, max_size=most_fragments).map("".join)
    return st.builds(str.__add__, st.sampled_from(("SELECT ", "SELECT ", "(select ", "")), soup)


def statements() -> st.SearchStrategy[str]:
    """Statements of the grammar, valid SQL most of the time."""
    return st.builds(
        lambda number, variant: Statement(number).text(variant),
        st.integers(0, 2**31),
        st.integers(0, 9),
    )


def near_misses(text: str, number: int, count: int) -> Iterator[str]:
    """The text with a fragment put in, a piece taken out, or both: `count` of them, repeatable."""
    chance = random.Random(number)  # noqa: S311 - chance that can be repeated
    for _ in range(count):
        changed = text
        if chance.random() < 0.7:
            at = chance.randrange(len(changed) + 1)
            changed = changed[:at] + chance.choice(FRAGMENTS) + changed[at:]
        if chance.random() < 0.5:
            at = chance.randrange(len(changed) + 1)
            changed = changed[:at] + changed[at + chance.choice((1, 1, 1, 2, 5)) :]
        yield changed
