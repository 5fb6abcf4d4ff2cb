"""What the catalog knows of a finding's table and columns stands among its reasons."""

from findings import the_one

from analyzer.model.catalog import Catalog, Column, Index, Table


def catalog(*indexes: Index, name: str = "orders", **known: object) -> Catalog:
    columns = (
        Column("id", "integer", distinct=-1.0),
        Column("note", "text", distinct=-0.5),
        Column("status", "text", distinct=3.0, common_frequencies=(0.9, 0.08, 0.02)),
    )
    known = {"rows": 200_000, "bytes": 20 * 2**20} | known
    table = Table(name, columns, indexes=indexes, **known)  # type: ignore[arg-type]
    return Catalog({name: table})


def reasons(finding: str = "selective-seq-scan", **known: Catalog) -> str:
    return "\n".join(the_one(finding, "found", "18", **known).evidence.reasons)


def test_size_and_distinct_values_are_told() -> None:
    told = reasons(catalog=catalog())
    assert "orders has about 200,000 rows in 20 MB with its indexes" in told
    assert "note has about 100,000 different values, 2 rows each (pg_stats)" in told
    assert "status has" not in told  # the scan does not compare it


def test_an_index_that_is_there_and_not_used_is_told() -> None:
    there = Index("orders_note_idx", ("note", "id"))
    told = reasons(catalog=catalog(there))
    assert "orders_note_idx (note, id) is there, and this plan does not use it" in told
    part = Index("orders_open_idx", ("note",), predicate="status = 'open'")
    told = reasons(catalog=catalog(part))
    assert "orders_open_idx (note, for a part of the rows) is there" in told
    assert "open'" not in told


def test_indexes_that_could_not_help_are_not_told() -> None:
    for index in (
        Index("broken", ("note",), valid=False),
        Index("other", ("status", "note")),
        Index("orders_pkey", ("id",), unique=True),
    ):
        assert "is there" not in reasons(catalog=catalog(index))


def test_what_is_not_known_is_not_told() -> None:
    bare = reasons()
    assert reasons(catalog=catalog(name="others")) == bare
    unknown = Catalog({"orders": Table("orders", (Column("note", "text"),))})
    assert reasons(catalog=unknown) == bare


def test_a_frequent_value_is_told() -> None:
    note = Column("note", "text", distinct=40.0, common_frequencies=(0.6, 0.01))
    told = reasons("index-filter", catalog=Catalog({"orders": Table("orders", (note,))}))
    assert "note has about 40 different values; 60% of the rows have the most frequent" in told
