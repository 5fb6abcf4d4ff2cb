"""Where schema.prisma and a database disagree, and what mends it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the schema and the database say differently.

    `subject` is table, column, type, nullability, default, primary-key, foreign-key, index or enum;
    `change` is missing (in the database), extra (in the database) or different. `table` and `name`
    say what it is about, in the database's names. `schema` and `database` are what either side says,
    None where it says nothing. `mend` is the side to change: schema or database; `language` of
    `text` is prisma (lines for schema.prisma) or sql (for a migration). `why` tells why that side,
    `risk` what to look at before. `unseen` tells why Prisma's own comparison does not show it,
    None where it does.
    """

    subject: str
    change: str
    table: str | None
    name: str | None
    schema: str | None
    database: str | None
    mend: str
    language: str
    text: str
    why: str
    risk: str = ""
    unseen: str | None = None
