"""The program whose logs are here: SQLAlchemy's echo of one lazy and one eager listing of books.

    URL=postgresql+psycopg://… python capture.py [FORMAT] > OUTPUT

Captured with SQLAlchemy 2.1, psycopg 3.3 and psycopg2 2.9 on PostgreSQL 15, on the tables of schema.sql:
`echo.log` has the lines as `echo=True` prints them (psycopg), `psycopg2.log` the same with psycopg2,
`basic.log` those of `logging.basicConfig` (`%(levelname)s:%(name)s:%(message)s`), `threads.log` a formatter
with process and thread, two threads at a time.
"""

import logging
import os
import sys
import threading

from sqlalchemy import ForeignKey, create_engine, insert, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship()


def lazy(session):
    """11 statements: 10 books, and the author of each."""
    return [book.author.name for book in session.scalars(select(Book).order_by(Book.id).limit(10))]


def eager(session):
    """2 statements: 10 books, and all their authors."""
    books = select(Book).order_by(Book.id).limit(10).options(selectinload(Book.author))
    return [book.author.name for book in session.scalars(books)]


def others(session):
    """3 statements: a text of several lines, one without parameters, an INSERT of two rows (rolled back)."""
    session.execute(text("SELECT count(*)\n  FROM books\n WHERE title <> :title"), {"title": "it's\n[raw sql] {'a': 1}"})
    session.execute(text("SELECT 100 % 7 AS rest"))
    session.execute(insert(Author), [{"name": "one"}, {"name": "two, 'three'"}])
    session.rollback()


def run(engine, *parts):
    for part in parts:
        with Session(engine) as session:
            part(session)


if __name__ == "__main__":
    form = sys.argv[1] if len(sys.argv) > 1 else None
    if form:
        logging.basicConfig(stream=sys.stdout, format=form)
        logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO)
    engine = create_engine(os.environ["URL"], echo=not form)
    if "THREADS" in os.environ:
        threads = [threading.Thread(target=run, args=(engine, *parts)) for parts in ((lazy, eager), (eager, lazy))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        run(engine, lazy, eager, others)
