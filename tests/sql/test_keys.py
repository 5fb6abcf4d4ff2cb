"""The safe key: no two fingerprints under one key, and literals told apart from identifiers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pglast.parser import ParseError, fingerprint

from analyzer.sql.keys import StatementKeyTable, safe_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("select 1", "select 0"),
        ("SELECT a FROM t WHERE id = 42;", "SELECT a FROM t WHERE id = 0"),
        ("SELECT t1.c2 FROM t1 WHERE c2 = 1.5e3", "SELECT t1.c2 FROM t1 WHERE c2 = 0"),
        ("SELECT 'it''s', E'a\\'b', N'x', B'01'", "SELECT '', E'', N'', B''"),
        ("SELECT $tag$ 'quoted' $$ $tag$, $$x$$", "SELECT '', ''"),
        ("SELECT 'a'\n  'b'", "SELECT ''"),
        ('SELECT "a ""1"" b" FROM "t  2"', 'SELECT "a ""1"" b" FROM "t  2"'),
        ("SELECT a -- 5\n, b /* 'x' */ FROM t", "SELECT a , b FROM t"),
        ("SELECT -1, -'1'", "SELECT -0, -''"),
        ("SELECT a[1], float(3), current_time(2)", "SELECT a[1], float(3), current_time(2)"),
        ("SELECT ARRAY[1, 2]", "SELECT ARRAY[0, 0]"),
        ("SELECT a FROM t WHERE b IN (1, 2, 3)", "SELECT a FROM t WHERE b IN (0, 0)"),
        ("SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b IN (0)"),
        ("SELECT a FROM t WHERE b IN ($1,$2,$3)", "SELECT a FROM t WHERE b IN ($1, $1)"),
        ("SELECT a FROM t ORDER BY 1, 1, 1", "SELECT a FROM t ORDER BY 0, 0, 0"),
        ("INSERT INTO t VALUES (1,'a'),(2,'b'),(3,'c')", "INSERT INTO t VALUES (0,''), (0,'')"),
        ('DECLARE "c_17" CURSOR FOR SELECT 1', "DECLARE c CURSOR FOR SELECT 0"),
        ('SAVEPOINT "s139_x2"', "SAVEPOINT c"),
        ("DEALLOCATE ALL", "DEALLOCATE ALL"),
        ("CLOSE ALL", "CLOSE ALL"),
        ("SELECT 1; SELECT 2", "SELECT 1; SELECT 2"),
        ("SELECT U&'\\0061'", "SELECT U&'\\0061'"),
        ("SELECT 'unterminated", "SELECT 'unterminated"),
        ("SELECT /* a /* nested */ 1 */ 2", "SELECT /* a /* nested */ 1 */ 2"),
    ],
)
def test_key(text: str, key: str) -> None:
    assert safe_key(text)[0] == key


def test_literals_and_comments() -> None:
    key, literals, comments = safe_key(
        "SELECT /* url=/a */ 'x', 5, $1 FROM t -- end /* not */\n/*traceparent='00-1-2-3'*/"
    )
    assert key == "SELECT '', 0, $1 FROM t"
    assert literals == "'x'\x1f5"
    assert comments == "/* url=/a */ -- end /* not */ /*traceparent='00-1-2-3'*/"


def test_table_interns_texts_by_key() -> None:
    table = StatementKeyTable()
    first = table.add("SELECT a FROM t WHERE id = 1")
    second = table.add("SELECT a FROM t WHERE id = 2")
    assert first[0] == second[0] == 0
    assert (first[1], second[1]) == ("1", "2")
    assert table.add("SELECT b FROM t")[0] == 1
    assert table.texts == ["SELECT a FROM t WHERE id = 1", "SELECT b FROM t"]
    assert len(table) == 2


# A grammar of statements: what is drawn twice with other literals must share a key only if it
# shares the fingerprint.
_LITERALS = st.sampled_from(
    [
        "1",
        "42",
        "-7",
        "- 7",
        "1.5",
        ".5",
        "1e9",
        "'a'",
        "'it''s'",
        "E'\\n'",
        "B'1'",
        "X'1F'",
        "$$q$$",
        "$a$q$a$",
        "NULL",
        "TRUE",
        "$1",
        "$2",
        "date '2020-01-01'",
        "interval '1 day'",
        "interval '1' day",
        "ARRAY[1,2]",
        "ARRAY['a']",
        "'{1}'::int[]",
        "5::text",
        "CAST(5 AS float(3))",
        "CAST(5 AS float(30))",
        "'x' 'y'",
    ]
)
_COLUMNS = st.sampled_from(
    [
        "a",
        "b1",
        '"c 2"',
        "t.a",
        "lower(a)",
        "a[1]",
        "a[2]",
        "a->>'k'",
        "a::text",
        "current_time(1)",
        "current_time(2)",
        "a /* 'c' */",
    ]
)
_OPERATORS = st.sampled_from(["=", "<>", "<", ">=", "LIKE", "@>", "+", "||", "IS DISTINCT FROM"])


@st.composite
def _conditions(draw: st.DrawFn) -> str:
    column, literal = draw(_COLUMNS), draw(_LITERALS)
    form = draw(st.integers(0, 4))
    if form == 0:
        items = draw(st.lists(_LITERALS, min_size=1, max_size=4))
        return f"{column} {draw(st.sampled_from(['IN', 'NOT IN', 'in']))} ({', '.join(items)})"
    if form == 1:
        return f"{column} = ANY({literal})"
    if form == 2:
        return f"{column} BETWEEN {literal} AND {draw(_LITERALS)}"
    if form == 3:
        return f"({column}, b) = ({literal}, {draw(_LITERALS)})"
    return f"{column} {draw(_OPERATORS)} {literal}"


@st.composite
def _statements(draw: st.DrawFn) -> str:
    where = draw(st.sampled_from([" AND ", " OR ", "\n  AND "])).join(
        draw(st.lists(_conditions(), min_size=1, max_size=3))
    )
    tail = draw(
        st.sampled_from(
            ["", " LIMIT 5", " LIMIT $3 OFFSET 0", " ORDER BY 1, 2", " -- c", " GROUP BY a, 1"]
        )
    )
    rows = ", ".join(
        f"({draw(_LITERALS)}, {draw(_LITERALS)})" for _ in range(draw(st.integers(1, 4)))
    )
    return draw(
        st.sampled_from(
            [
                f"SELECT a, {draw(_LITERALS)} FROM t WHERE {where}{tail}",
                f"UPDATE t SET a = {draw(_LITERALS)} WHERE {where}",
                f"DELETE FROM t WHERE {where}",
                f"INSERT INTO t (a, b) VALUES {rows}",
                f"WITH x AS (SELECT {draw(_LITERALS)}) SELECT * FROM x WHERE {where}",
                f"SELECT (SELECT {draw(_LITERALS)} FROM u WHERE {where}) FROM t",
            ]
        )
    )


_FINGERPRINTS: dict[str, str] = {}


@settings(max_examples=600, deadline=None)
@given(_statements())
def test_one_key_never_has_two_fingerprints(text: str) -> None:
    try:
        expected = fingerprint(text)
    except ParseError:
        return  # the grammar may draw what PostgreSQL refuses; keys of those are their own
    key, _, _ = safe_key(text)
    assert _FINGERPRINTS.setdefault(key, expected) == expected
    assert fingerprint(key) == expected  # the key is SQL of the same shape


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_a_key(text: str) -> None:
    assert safe_key(text) == safe_key(text)
