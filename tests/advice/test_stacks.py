"""Stacks are recognised in captures of the real programs, and advice is written in them."""

import ast
import itertools
from pathlib import Path

import pytest

from analyzer.advice.stacks import STACKS, Columns, Counted, Inserts, Lookup, Loop, Page, Stacks
from analyzer.advice.stacks._base import class_name, plural, singular
from analyzer.model.finding import Finding
from analyzer.model.statement import Kind
from analyzer.pipeline import Options, Result, run

DATA = Path(__file__).parents[1] / "data"
CAPTURES = [
    ("django", DATA / "nplusone" / "django" / "nested.csv"),
    ("django", DATA / "nplusone" / "django" / "lazy_parent.csv"),
    ("django", DATA / "nplusone" / "django" / "lazy_count.csv"),
    ("prisma", DATA / "nplusone" / "prisma7" / "nested.csv"),
    ("prisma", DATA / "nplusone" / "prisma7" / "lazy_count.csv"),
    ("sequelize", DATA / "nplusone" / "sequelize" / "nested.csv"),
    ("sequelize", DATA / "nplusone" / "sequelize" / "lazy_count.csv"),
    ("sqlalchemy", DATA / "stacks" / "sqlalchemy.csv"),
    ("typeorm", DATA / "stacks" / "typeorm.csv"),
    ("rails", DATA / "stacks" / "rails.csv"),
]


def analysed(*paths: Path, schema: Path | None = None) -> Result:
    options = Options(
        inputs=[str(path) for path in paths],
        log_min_duration_ms=0,
        schema=str(schema) if schema else None,
    )
    return run(options)


def loops(result: Result) -> list[Finding]:
    return [one for one in result.findings if one.detector == "n-plus-one"]


@pytest.mark.parametrize(("stack", "path"), CAPTURES)
def test_advice_is_in_the_stack_that_wrote_the_log(stack: str, path: Path) -> None:
    found = loops(analysed(path))
    assert found
    for finding in found:
        languages = [one.language for one in finding.recommendations]
        assert languages == [stack, "sql"]
        assert "sure" in finding.recommendations[0].because


QUERY_LOGS = [  # the application's own log, and what is loaded with what
    ("django", "django/default.log", "Load author with Book: select_related"),
    ("rails", "rails/development.log", "Load author with Book: includes"),  # of a SELECT *
    (
        "sequelize",
        "sequelize/plain.log",
        "Load author with book: include",
    ),  # no class names: aliases
    ("sqlalchemy", "sqlalchemy/echo.log", "Load author with Book: joinedload"),
    (
        "typeorm",
        "typeorm/simple.log",
        "Load author with Book: relations",
    ),  # the lazy relation's alias
]


@pytest.mark.parametrize(("stack", "path", "title"), QUERY_LOGS)
def test_an_application_s_own_log_tells_its_stack(stack: str, path: str, title: str) -> None:
    (finding,) = loops(analysed(DATA / "applications" / path))
    ours, plain = finding.recommendations
    assert (ours.language, ours.title, plain.language) == (stack, title, "sql")
    assert "its query log" in ours.because
    assert plain.text.count("the parent's rows") == 1


WRITES = [
    ("django", DATA / "nplusone" / "django" / "insert_loop.csv"),
    ("django", DATA / "nplusone" / "django" / "bulk_insert.csv"),
    ("prisma", DATA / "nplusone" / "prisma7" / "insert_loop.csv"),
    ("prisma", DATA / "nplusone" / "prisma7" / "bulk_insert.csv"),
    ("sequelize", DATA / "nplusone" / "sequelize" / "insert_loop.csv"),
    ("sequelize", DATA / "nplusone" / "sequelize" / "bulk_insert.csv"),
    ("sqlalchemy", DATA / "stacks" / "sqlalchemy_writes.csv"),
    ("typeorm", DATA / "stacks" / "typeorm_writes.csv"),
    ("rails", DATA / "stacks" / "rails_writes.csv"),
]


@pytest.mark.parametrize(("stack", "path"), WRITES)
def test_an_insert_alone_tells_the_stack(stack: str, path: Path) -> None:
    workload = analysed(path).workload
    inserts = [one.sql for one in workload.statements if one.facts.kind is Kind.INSERT]
    assert inserts
    for sql in inserts:
        assert [one.stack.id for one in Stacks(workload).of([sql])] == [stack]


@pytest.mark.parametrize(("stack", "path"), CAPTURES)
def test_no_other_stack_is_named(stack: str, path: Path) -> None:
    assert [one.stack.id for one in Stacks(analysed(path).workload).of()] == [stack]


def test_several_programs_in_one_log_each_get_their_own() -> None:
    result = analysed(
        DATA / "nplusone" / "sequelize" / "nested.csv", DATA / "nplusone" / "prisma7" / "nested.csv"
    )
    for finding in loops(result):
        wanted = "prisma" if finding.tables[0][0].isupper() else "sequelize"
        assert finding.recommendations[0].language == wanted
        assert finding.recommendations[-1].language == "sql"


@pytest.mark.parametrize(
    ("path", "schema", "title", "names"),
    [
        ("prisma7/lazy_children.csv", "prisma7/schema.prisma", "Ask for books with the Author query", "names from schema.prisma"),
        ("prisma7/lazy_parent.csv", "prisma7/schema.prisma", "Ask for author with the Book query", "names from schema.prisma"),
        ("prisma7/lazy_children.csv", None, "Ask for books with the Author query", "names guessed"),
        ("django/lazy_parent.csv", None, "Load author with Book: select_related", "names guessed"),
        ("django/lazy_children.csv", "schema.sql", "Load book_set with Author: prefetch_related", "default"),
        ("sequelize/lazy_children.csv", None, "Load Book with Author: include", "aliases in the SQL"),
    ],
)  # fmt: skip
def test_relations_are_named(path: str, schema: str | None, title: str, names: str) -> None:
    root = DATA / "nplusone"
    (finding,) = loops(analysed(root / path, schema=root / schema if schema else None))
    advice = finding.recommendations[0]
    assert advice.title == title
    assert names in advice.because


def test_hand_written_sql_has_no_stack(tmp_path: Path) -> None:
    lines = []
    for n in range(9):
        text = (
            "SELECT id FROM authors LIMIT 50"
            if n == 0
            else f"SELECT title FROM books WHERE author_id = {n}"
        )
        lines.append(
            f'2026-11-22 08:00:{n / 100:06.3f} UTC,"app","app",1,"127.0.0.1:1",6b02ada0.1,{n + 1},"SELECT",2026-11-22 08:00:00 UTC,3/1,0,LOG,00000,'
            f'"duration: 0.100 ms  statement: {text}",,,,,,,,,"web","client backend",,0\n'
        )  # fmt: skip
    log = tmp_path / "a.csv"
    log.write_text("".join(lines))
    (finding,) = loops(analysed(log))
    assert [one.language for one in finding.recommendations] == ["sql"]
    tagged = log.read_text().replace(
        "FROM books", "/*framework='django%3A5.2',route='%2Fa'*/ FROM books"
    )
    log.write_text(tagged)
    (finding,) = loops(analysed(log))
    assert [one.language for one in finding.recommendations] == ["django", "sql"]
    assert "comments in statements" in finding.recommendations[0].because


LOOPS = [
    Loop(
        "app_author",
        "app_book",
        "id",
        "author_id",
        forward=False,
        asks=asks,
        limit=3,
        parent_sql="",
        child_sql="",
    )
    for asks in ("rows", "count", "exists", "few")
]
LOOPS.append(
    Loop(
        "books",
        "authors",
        "author_id",
        "id",
        forward=True,
        asks="rows",
        limit=None,
        parent_sql="",
        child_sql="",
    )
)
HOSTILE = 'x"; DROP TABLE t; --\n`${evil()}`'


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.id)
def test_every_stack_writes_every_fix(stack: object) -> None:
    codes = [
        *(stack.load(loop) for loop in LOOPS),
        *(stack.lookup(Lookup("books", "author_id", unique=unique, sql="")) for unique in (True, False)),
        stack.insert(Inserts("books", ("title", "author_id"), "INSERT INTO books")),
        *(stack.page(Page("books", "id", descending=way, sql="")) for way in (True, False)),
        stack.omit(Columns("books", ("id", "title"), ("scan",), "SELECT * FROM books")),
        *(stack.count(Counted("books", columns, "")) for columns in ((), ("author_id",))),
    ]  # fmt: skip
    assert len({code.text for code in codes}) == len(codes)
    for code in codes:
        assert code.title
        assert code.risk
        assert code.names
        if stack.memo == "python":
            ast.parse(code.text.replace("…", "..."))
        assert code.text.count("(") == code.text.count(")"), code.text
        assert code.text.count("{") == code.text.count("}"), code.text


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.id)
def test_names_of_an_input_cannot_leave_their_place(stack: object) -> None:
    loop = Loop(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        forward=False,
        asks="rows",
        limit=None,
        parent_sql=HOSTILE,
        child_sql=HOSTILE,
    )
    texts = [
        stack.load(loop).text,
        stack.lookup(Lookup(HOSTILE, HOSTILE, unique=False, sql=HOSTILE)).text,
        stack.insert(Inserts(HOSTILE, (HOSTILE,), HOSTILE)).text,
        stack.page(Page(HOSTILE, HOSTILE, descending=False, sql=HOSTILE)).text,
        stack.omit(Columns(HOSTILE, (HOSTILE,), (HOSTILE,), HOSTILE)).text,
        stack.count(Counted(HOSTILE, (HOSTILE,), HOSTILE)).text,
    ]
    for text, harm in itertools.product(texts, ("evil()", "DROP TABLE", "${", "--")):
        assert harm not in text


def only(result: Result, detector: str) -> Finding:
    (found,) = [one for one in result.findings if one.detector == detector]
    return found


INSERTED = [
    ("django", "django", "bulk_create"),
    ("prisma7", "prisma", "createMany"),
    ("sequelize", "sequelize", "bulkCreate"),
]


@pytest.mark.parametrize(("folder", "stack", "code"), INSERTED)
def test_inserts_in_a_loop_are_written_in_the_stack_that_sent_them(
    folder: str, stack: str, code: str
) -> None:
    advice = only(
        analysed(DATA / "nplusone" / folder / "insert_loop.csv"), "write-loop"
    ).recommendations
    assert (advice[0].language, advice[1].language) == (stack, "sql")
    assert code in advice[0].text
    assert advice[0].effect["round_trips_after"] == 1


def test_inserts_that_say_what_a_duplicate_does_are_not_written_for_a_stack(tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    text = (DATA / "nplusone" / "django" / "insert_loop.csv").read_text()
    log.write_text(text.replace(" RETURNING ", " ON CONFLICT DO NOTHING RETURNING "))
    advice = only(analysed(log), "write-loop").recommendations
    assert [one.language for one in advice] == ["sql"]


def test_pages_are_written_in_the_stack_that_asked_for_them() -> None:
    found = only(
        analysed(DATA / "nplusone" / "django" / "pagination_offset.csv"), "offset-pagination"
    )
    paged, plain = found.recommendations
    assert (paged.language, plain.language) == ("django", "sql")
    assert 'filter(id__gt=last_id).order_by("id")' in paged.text
    assert paged.effect == plain.effect


@pytest.mark.parametrize(
    ("table", "one"),
    [("order_items", "OrderItem"), ("sales.categories", "Category"), ("addresses", "Address"), ("news", "News"), ("boxes", "Box"), ("status", "Status")],
)  # fmt: skip
def test_model_names(table: str, one: str) -> None:
    assert class_name(table) == one


@pytest.mark.parametrize(("one", "many"), [("book", "books"), ("category", "categories"), ("box", "boxes"), ("day", "days")])  # fmt: skip
def test_plurals(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one
