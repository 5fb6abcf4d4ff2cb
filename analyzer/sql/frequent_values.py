"""A script that makes a partial index for each frequent value of a column, without a value in its text."""

from analyzer.sql.quoting import quote_identifier, quote_table


def frequent_script(table: str, column: str, using: str, rows: int, most: int) -> str:
    r"""SQL whose rows are statements: an index for each value that more than `rows` rows have.

    psql runs them with `\gexec` in place of the semicolon.

    Args:
        table: its name, as the model spells it.
        column: what the indexes are partial by.
        using: from USING on, what an index is of; SQL of ours.
        rows: how many rows are worth an index.
        most: how many indexes.
    """
    place, name = quote_table(table), quote_identifier(column)
    made = f"CREATE INDEX CONCURRENTLY ON {_doubled(place)} {_doubled(using)} WHERE {_doubled(name)} = %L"
    frequent = (
        f"SELECT {name} AS value FROM {place} GROUP BY 1 HAVING count(*) > {rows} "  # noqa: S608 - names are quoted, and it is shown, never run
        f"ORDER BY count(*) DESC LIMIT {most}"
    )
    made_for_each = f"SELECT format('{made}', value) FROM ({frequent}) AS frequent"  # noqa: S608 - as above
    return f"{made_for_each}; -- its rows are the statements: in psql, \\gexec in place of the semicolon runs them"


def _doubled(text: str) -> str:
    """A text inside format('…'): quotes and percent signs stand for themselves."""
    return text.replace("'", "''").replace("%", "%%")
