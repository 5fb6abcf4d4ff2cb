"""A SQLAlchemy program that lists authors with their publisher, their books and the books' reviews.

    python sqlalchemy_shop.py HOST PORT DATABASE lazily|eagerly

Run by test_real_sqlalchemy.py; prints how many reviews it saw.
"""

import sys

from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)


class Base(DeclarativeBase):
    """What the tables have in common."""


class Publisher(Base):
    """A publisher of one author each."""

    __tablename__ = "publishers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Author(Base):
    """An author, with a publisher and books."""

    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publishers.id"))
    publisher: Mapped[Publisher] = relationship()
    books: Mapped[list["Book"]] = relationship()


class Book(Base):
    """A book, with reviews."""

    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    reviews: Mapped[list["Review"]] = relationship()


class Review(Base):
    """A review of a book."""

    __tablename__ = "reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))


def main() -> None:
    """List the first twelve authors."""
    host, port, database, how = sys.argv[1:]
    engine = create_engine(f"postgresql+psycopg://postgres@{host}:{port}/{database}")
    query = select(Author).order_by(Author.id).limit(12)
    if how == "eagerly":
        query = query.options(
            joinedload(Author.publisher), selectinload(Author.books).selectinload(Book.reviews)
        )
    seen = 0
    with Session(engine) as session:
        for author in session.scalars(query).all():
            assert author.publisher.name
            seen += sum(len(book.reviews) for book in author.books)
    sys.stdout.write(f"{seen}\n")


if __name__ == "__main__":
    main()
