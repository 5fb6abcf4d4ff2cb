"""The safe key: literals told apart from identifiers, in every shape that a text can have."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import statements_strategy as sql
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sql import keys
from analyzer.sql.careful_keys import careful_key
from analyzer.sql.keys import StatementKeyTable, safe_key

# Every class of token, right and wrong, with the key, literals and comments it has to give.
CASES = Path(__file__).parent.parent / "data" / "keys" / "cases.jsonl"


def _cases() -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in CASES.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        groups.setdefault(case["group"], []).append(case)
    return groups


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


@pytest.mark.parametrize("group", _cases())
def test_cases(group: str) -> None:
    for case in _cases()[group]:
        assert safe_key(case["text"]) == (case["key"], case["literals"], case["comments"])
        assert careful_key(case["text"]) == safe_key(case["text"])


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


@settings(max_examples=1500, deadline=None)
@given(sql.texts())
def test_the_fast_way_gives_what_the_careful_one_gives(text: str) -> None:
    assert safe_key(text) == careful_key(text)


@settings(max_examples=300, deadline=None)
@given(sql.statements())
def test_both_ways_agree_on_statements(text: str) -> None:
    assert safe_key(text) == careful_key(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_a_key(text: str) -> None:
    assert safe_key(text) == careful_key(text)


@pytest.mark.parametrize(
    "text",
    [
        'SELECT "public"."orders"."id" FROM "public"."orders" WHERE ("id" = 4711 AND 1=1) LIMIT 1',
        "SELECT o.id FROM orders o WHERE o.total > 12.50 AND o.at >= '2024-01-01' OFFSET 100",
        "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3) /* route=/x */",
        "UPDATE t SET a = 'it''s', b = E'c\\'d', c = $$e$$, d = -5 WHERE e = ANY(ARRAY[1, 2]) -- f",
        "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y') RETURNING a",
        "SELECT a FROM t WHERE b IN ('x', 'y', 'z') AND c IN (1,2,3) AND d = 'é'::text[];",
        "BEGIN",
    ],
)
def test_usual_statements_go_the_fast_way(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = careful_key(text)
    monkeypatch.setattr(keys, "careful_key", lambda text: pytest.fail(f"careful: {text}"))
    assert safe_key(text) == expected


@pytest.mark.parametrize("head", ["SELECT ", "SELECT a[1", "SELECT a IN (", "SELECT E'x", ""])
def test_hostile_texts_cost_linear_time(head: str) -> None:
    pieces = [
        "'",
        "''",
        "'a'\n",
        " IN ('a', ",
        " IN (1, ",
        "/*",
        "a/**/",
        "/*/",
        "$a",
        "$$",
        '"',
        '"a',
    ]
    pieces += [
        "E'\\'",
        "\\",
        "::int[",
        "[1",
        "array[1",
        "(",
        "0::a, ",
        "in (0, 0, ",
        "values (1), ",
    ]
    pieces += [
        "--\n",
        "-",
        "u&'",
        "float(",
        "1.",
        "1e",
        ".",
        ";",
        " ",
        "\n",
        ":",
        "é",
        "0, ",
        "\x00",
    ]
    for piece in pieces:
        text = head + piece * (100_000 // len(piece))
        started = time.process_time()
        safe_key(text)
        assert time.process_time() - started < 5, piece  # quadratic would be minutes
