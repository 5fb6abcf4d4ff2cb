"""The file of `--schema`: SQL or schema.prisma, told apart by its ending, or a folder of .prisma files."""

from pathlib import Path

from analyzer.errors import InputError
from analyzer.model.catalog import Catalog


def read_schema_file(path: str) -> Catalog:
    """The catalog that a file tells of.

    Raises:
        InputError: it cannot be read, or has no table.
    """
    from analyzer.sources.schema import prisma, sql  # noqa: PLC0415 - only runs with --schema need them

    if Path(path).is_dir():
        from analyzer.sources.schema.project import find_schema, read_project  # noqa: PLC0415 - as above

        return read_project(find_schema(Path(path))).schema
    try:
        text = Path(path).read_bytes().decode("utf-8", "backslashreplace")
    except OSError as error:
        raise InputError(f"--schema {path}: cannot be read ({error.strerror})") from error
    reader = prisma.read_schema if path.endswith(".prisma") else sql.read_schema
    catalog = reader(text, path)
    if not catalog.tables:
        raise InputError(
            f"--schema {path}: no table in it; give SQL with CREATE TABLE (pg_dump --schema-only) or a schema.prisma"
        )
    return catalog
