"""A SQLAlchemy program that loops as told, or does what a report recommends. Run by test_advised.py.

Arguments: host, port, database, the case (children, parent, count, exists, few), and the recommended code
for the program that has taken the advice. Prints what it saw as JSON.
"""

import json
import sys
from typing import Any

from sqlalchemy import ForeignKey, create_engine, exists, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    """What the tables have in common."""


class Author(Base):
    """An author, with books."""

    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(back_populates="author")


class Book(Base):
    """A book of one author."""

    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")


host, port, database, case, *advice = sys.argv[1:]
PARENT = Book if case == "parent" else Author


def of_each(session: Session, row: Author | Book) -> object:
    """What the loop asks for one parent, in its own statement."""
    mine = Book.author_id == row.id
    if isinstance(row, Book):
        return row.author.name
    if case == "children":
        return sorted(book.title for book in row.books)
    if case == "count":
        return session.scalar(select(func.count()).select_from(Book).where(mine))
    if case == "exists":
        return session.scalar(select(exists().where(mine)))
    newest = select(Book).where(mine).order_by(Book.id.desc()).limit(2)
    return sorted(book.title for book in session.scalars(newest))


def of_all(row: Author, found: dict[int, int] | set[int] | list[Book]) -> object:
    """The same, of what the recommended code has found at once."""
    if isinstance(found, dict):
        return found.get(row.id, 0)
    if isinstance(found, set):
        return row.id in found
    return sorted(book.title for book in found if book.author_id == row.id)


def main() -> None:
    """List the first twelve parents, with what belongs to each."""
    engine = create_engine(f"postgresql+psycopg://postgres@{host}:{port}/{database}")
    with Session(engine) as session:
        names: dict[str, Any] = {"session": session, "select": select, "func": func}
        names |= {"Author": Author, "Book": Book}
        if not advice or case in ("count", "exists", "few"):
            parents = select(PARENT).order_by(PARENT.id).limit(12)
            names["rows"] = session.scalars(parents).all()
        if advice:
            exec(advice[0], names)  # noqa: S102 - written for the programs of this test
        if "found" in names:
            seen = [[row.id, of_all(row, names["found"])] for row in names["rows"]]
        else:
            seen = [[row.id, of_each(session, row)] for row in names["rows"]]
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
