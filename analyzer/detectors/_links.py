"""How a statement's lookup can depend on another statement's rows."""

from dataclasses import replace

from analyzer.detectors import _names
from analyzer.model.catalog import Catalog, Table
from analyzer.model.statement import Arity, Kind, Predicate, StatementFacts
from analyzer.records import record

_CLEAR_NAME = 0.8
_UPWARDS = (("parent",), ("root",), ("ancestor",))  # what columns of trees are named after


@record
class Link:
    """Why a child belongs to a parent. `strength` 0..1 is how sure; `how` says it in words.

    `parent_table` is the table of the parent whose rows drive the loop, `parent_columns` what
    they hand to the child's lookup, `child_table` the table whose rows the child loads.
    """

    strength: float
    how: str
    parent_table: str
    parent_columns: tuple[str, ...]
    child_table: str


def lookups(facts: StatementFacts) -> tuple[Predicate, ...]:
    """Equalities with one value: what makes a SELECT a candidate for the child of a loop."""
    if facts.kind is not Kind.SELECT:
        return ()
    return tuple(
        predicate
        for predicate in facts.predicates
        if predicate.operator == "=" and predicate.arity is Arity.ONE and predicate.parameter
    )


def finds_one_row(facts: StatementFacts, catalog: Catalog | None) -> bool:
    """Whether the statement can return at most one row (a literal LIMIT 1, a unique lookup …)."""
    if facts.one_row or facts.limit in (0, 1):
        return True
    if len(facts.tables) != 1 or facts.disjunctive:
        return False
    columns = frozenset(
        predicate.column for predicate in lookups(facts) if not predicate.expression
    )
    table = catalog.table(facts.main_table) if catalog else None
    if table is not None and (table.primary_key or table.unique_keys):
        return table.is_unique(columns)
    return any(_names.is_key(column) for column in columns)


def link(
    child: StatementFacts,
    varying: tuple[Predicate, ...],
    parent: StatementFacts,
    catalog: Catalog | None,
    tables: frozenset[str] = frozenset(),
) -> Link | None:
    """The best link between a child's varying lookups and a parent's rows, None if there is none.

    `tables` are those of the whole workload: a column named after one of them refers to no other.
    """
    found = [
        made
        for predicate in varying
        if predicate.table or child.main_table
        for made in _links(child, predicate, parent, catalog, tables)
    ]
    return max(found, key=lambda made: made.strength, default=None)


def _links(
    child: StatementFacts,
    predicate: Predicate,
    parent: StatementFacts,
    catalog: Catalog | None,
    tables: frozenset[str],
) -> list[Link]:
    owner = predicate.table or child.main_table or ""
    table = catalog.table(owner) if catalog else None
    guesses = _links_by_names(child, predicate, owner, parent, tables)
    if catalog is None or table is None or not _has_keys(catalog):
        return guesses
    proved = _links_by_keys(child, predicate, parent, catalog, table)
    # Schemas without constraints are common, so a clear name still counts, for less.
    named = [guess for guess in guesses if guess.strength >= _CLEAR_NAME]
    return proved or [replace(guess, strength=guess.strength * 0.8) for guess in named]


def _has_keys(catalog: Catalog) -> bool:
    return any(table.foreign_keys for table in catalog)


def _links_by_keys(
    child: StatementFacts,
    predicate: Predicate,
    parent: StatementFacts,
    catalog: Catalog,
    owner: Table,
) -> list[Link]:
    """Links that foreign keys prove, and two weaker ones that they make likely."""
    column = predicate.column
    loaded = _loaded_table(child, owner.name, parent)
    unique = owner.is_unique(frozenset([column]))
    parents = {known.name: known for name in parent.tables if (known := catalog.table(name))}
    found: list[Link] = []
    for key in owner.foreign_keys:
        if column not in key.columns:
            continue
        referenced = key.target_columns[key.columns.index(column)] if key.target_columns else "id"
        if key.target in parents:
            how = f"{owner.name}.{column} references {key.target}.{referenced}"
            found.append(Link(1.0, how, key.target, (referenced,), loaded))
        found += [
            Link(
                0.7,
                f"{owner.name}.{column} and {name}.{other.columns[0]} reference {key.target}",
                name,
                other.columns,
                loaded,
            )
            for name, table in parents.items()
            for other in table.foreign_keys
            if other.target == key.target and name != owner.name
        ]
    for name, table in parents.items():
        found += [
            Link(
                1.0,
                f"{name}.{', '.join(key.columns)} references {owner.name}.{column}",
                name,
                key.columns,
                loaded,
            )
            for key in table.foreign_keys
            if key.target == owner.name and column in (key.target_columns or (column,))
        ]
    if unique:
        found += [
            Link(0.7, how, name, (told,), loaded)
            for name, told, how in _polymorphic(parent, owner.name, column)
        ]
    if owner.name in parents and unique:
        how = f"the rows of {owner.name} are loaded again one by one by {column}"
        found.append(Link(0.9, how, owner.name, (column,), loaded))
    return found


def _links_by_names(
    child: StatementFacts,
    predicate: Predicate,
    owner: str,
    parent: StatementFacts,
    tables: frozenset[str],
) -> list[Link]:
    """Links guessed from the names of tables and columns."""
    column = predicate.column
    loaded = _loaded_table(child, owner, parent)
    selected = [(table or parent.main_table or "", name) for table, name in parent.columns]
    found = [
        Link(0.9, f"{owner}.{column} is named after {name}", name, ("id",), loaded)
        for name in parent.tables
        if name != owner and _names.refers_to(column, name)
    ]
    found += [
        Link(0.6, f"{owner} and {table} share {column}", table, (name,), loaded)
        for table, name in selected
        if name == column and table != owner and _names.reference(column)
    ]
    if _names.is_key(column) or _names.refers_to(column, owner):
        found += _links_to_key(column, owner, loaded, parent, selected)
    elif _names.reference(column) and not _names.refers_to_any(column, tables):
        found += _links_to_row(column, owner, loaded, parent)
    return found


def _links_to_row(column: str, owner: str, loaded: str, parent: StatementFacts) -> list[Link]:
    """The child looks rows up by a reference that is named after no table of the workload."""
    reads = parent.main_table
    if reads is None:
        return []
    if owner in parent.tables:
        if _names.reference(column) not in _UPWARDS:
            return []
        how = f"{owner}.{column} refers to rows of {owner} itself"
        return [Link(0.8, how, owner, ("id",), loaded)]
    keys = [name for table, name in parent.columns if table == reads and _names.is_key(name)]
    if not keys and not parent.star:
        return []
    how = f"{owner}.{column} may refer to {reads} (guessed, no foreign key is known)"
    return [Link(0.5, how, reads, tuple(keys[:1]) or ("id",), loaded)]


def _links_to_key(
    column: str,
    owner: str,
    loaded: str,
    parent: StatementFacts,
    selected: list[tuple[str, str]],
) -> list[Link]:
    """The child looks a row up by its key: who may have told the key?"""
    found: list[Link] = []
    for table, name in selected:
        if table != owner and _names.refers_to(name, owner):
            how = f"{table}.{name} is named after {owner}"
            found.append(Link(0.9, how, table, (name,), loaded))
        elif table != owner and _names.reference(name):
            how = f"{table}.{name} may refer to {owner}.{column} (guessed, no foreign key is known)"
            found.append(Link(0.5, how, table, (name,), loaded))
    found += [
        Link(0.7, how, table, (name,), loaded)
        for table, name, how in _polymorphic(parent, owner, column)
    ]
    if owner in parent.tables:
        how = f"the rows of {owner} are loaded again one by one by {column}"
        found.append(Link(0.8, how, owner, (column,), loaded))
    if parent.star and parent.main_table and parent.main_table != owner:
        how = f"a column of {parent.main_table} may refer to {owner}.{column} (guessed, SELECT *)"
        found.append(Link(0.4, how, parent.main_table, ("*",), loaded))
    return found


def _polymorphic(parent: StatementFacts, owner: str, column: str) -> list[tuple[str, str, str]]:
    """Columns of the parent that refer to rows of any table, whose kind stands in another column.

    Django's content_type_id and object_id, Rails' commentable_type and commentable_id.
    """
    if not (_names.is_key(column) or _names.refers_to(column, owner)) or column.endswith("_key"):
        return []
    selected = [(table or parent.main_table or "", name) for table, name in parent.columns]
    names = set(selected)
    found = []
    for table, name in selected:
        stem = name.removesuffix("_id")
        kinds = ("content_type_id", "content_type") if stem == "object" else (f"{stem}_type",)
        if stem != name and table != owner and any((table, kind) in names for kind in kinds):
            how = f"{table}.{name} refers to rows of several tables, {owner}.{column} among them"
            found.append((table, name, how))
    return found


def _loaded_table(child: StatementFacts, owner: str, parent: StatementFacts) -> str:
    """The table whose rows the child is run for.

    The main table; but where the condition sits on a table that the parent has already read (a
    joined parent), or the main table is only passed through, the other one that is selected.
    """
    selected = [table for table, _ in child.columns if table]
    main = child.main_table or owner
    others = [table for table in child.tables if table != owner]
    if owner == main and owner in parent.tables and others:
        chosen = [table for table in others if table in selected]
        return (chosen or others)[0]
    if selected and main not in selected and not child.star:
        return max(dict.fromkeys(selected), key=selected.count)
    return main
