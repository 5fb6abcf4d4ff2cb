"""How a statement's lookup can depend on another statement's rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from analyzer.detectors import _names
from analyzer.detectors._reads import Reads
from analyzer.model.catalog import Catalog, Table
from analyzer.model.statement import Arity, Kind, Predicate, StatementFacts
from analyzer.records import record

_CLEAR_NAME = 0.8
_UPWARDS = (("parent",), ("root",), ("ancestor",))  # what columns of trees are named after


@record
class Link:
    """Why a child belongs to a parent. `strength` 0..1 is how sure; `how` says it in words.

    `parent_table` is the table of the parent whose rows drive the loop, `parent_columns` what
    they hand to the child's lookup, `child_table` the table whose rows the child loads. `asks` is
    that lookup, `told` the parent's column where it is a single one. `refuted`: the values looked up are
    none that the parent can return, so that what runs as a loop behind it is one of something else.
    """

    strength: float
    how: str
    parent_table: str
    parent_columns: tuple[str, ...]
    child_table: str = ""
    asks: Predicate | None = None
    told: str | None = None
    refuted: bool = False


@record
class Lookup:
    """What tells a lookup's links: the column that it asks for, and what of it `key` makes unique.

    That is the column itself, or all that are asked for of the same table; nothing where rows are not known to be told
    apart by them.
    """

    owner: str
    column: str
    key: tuple[str, ...]


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
    parent: Reads,
    catalog: Catalog | None,
    tables: frozenset[str] = frozenset(),
) -> Link | None:
    """The best link between a child's varying lookups and a parent's rows, None if there is none.

    `tables` are those of the whole workload: a column named after one of them refers to no other.
    """
    best: tuple[Link, Lookup, Predicate] | None = None
    for lookup, predicate in looked_up(child, varying, catalog):
        made = best_told(lookup, parent, catalog, tables)
        if made and (best is None or made.strength > best[0].strength):
            best = made, lookup, predicate
    return _between(child, parent, *best) if best else None


def links(
    child: StatementFacts,
    varying: tuple[Predicate, ...],
    parent: Reads,
    catalog: Catalog | None,
    tables: frozenset[str] = frozenset(),
) -> list[Link]:
    """All links between a child's varying lookups and a parent's rows, the best first."""
    found = [
        _between(child, parent, made, lookup, predicate)
        for lookup, predicate in looked_up(child, varying, catalog)
        for made in _told(lookup, parent, catalog, tables)
    ]
    return sorted(found, key=lambda made: -made.strength)


def _between(
    child: StatementFacts, parent: Reads, made: Link, lookup: Lookup, asks: Predicate
) -> Link:
    """A link of a lookup as one of the child that does it: what it loads and asks for, and what told it."""
    loaded = loaded_table(child, lookup.owner, parent)
    return replace(made, child_table=loaded, asks=asks, told=told_by(made))


def told_by(made: Link) -> str | None:
    """The parent's column that tells what is looked up, where it is a single one."""
    told = made.parent_columns[0] if len(made.parent_columns) == 1 else "*"
    return None if told == "*" else told


def looked_up(
    child: StatementFacts, varying: tuple[Predicate, ...], catalog: Catalog | None
) -> list[tuple[Lookup, Predicate]]:
    """A child's varying lookups as far as the text tells their tables."""
    named = ((predicate.table or child.main_table, predicate) for predicate in varying)
    return [
        (Lookup(owner, one.column, _key(child, owner, one.column, catalog)), one)
        for owner, one in named
        if owner
    ]


def _key(
    child: StatementFacts, owner: str, column: str, catalog: Catalog | None
) -> tuple[str, ...]:
    table = catalog.table(owner) if catalog else None
    if table is None:
        return ()
    if table.is_unique(frozenset([column])):
        return (column,)
    beside = tuple(one.column for one in lookups(child) if one.table in (owner, None))
    return beside if table.is_unique(frozenset(beside)) else ()


def best_told(
    lookup: Lookup, parent: Reads, catalog: Catalog | None, tables: frozenset[str]
) -> Link | None:
    """The best link between a lookup and a parent's rows, whatever table it loads."""
    found = _told(lookup, parent, catalog, tables)
    return max(found, key=lambda made: made.strength, default=None)


def best_of_each(
    lookup: Lookup, parents: Sequence[Reads], catalog: Catalog | None, tables: frozenset[str]
) -> list[Link | None]:
    """The best link between a lookup and each parent's rows. Of most the names tell at a glance that there is none."""
    keyed = catalog is not None and catalog.table(lookup.owner) is not None and _has_keys(catalog)
    may_tell = _may_tell(lookup, {table for parent in parents for table in parent.tables})
    return [
        best_told(lookup, parent, catalog, tables) if keyed or may_tell(parent) else None
        for parent in parents
    ]


def _may_tell(lookup: Lookup, tables: set[str]) -> Callable[[Reads], bool]:
    """Whether a parent, which reads some of the tables, reads anything that _links_by_names makes a link of."""
    owner, column = lookup.owner, lookup.column
    words = _names.words(column)
    endings = frozenset(words[-size:] for size in range(1, len(words)))
    named = {owner, *(table for table in tables if _names.refers_to(column, table))}
    is_key = _names.is_key(column) or _names.refers_to(column, owner)
    refers = not is_key and _names.reference(column) is not None

    def may_tell(parent: Reads) -> bool:
        return (
            ((is_key or refers) and parent.star)
            or bool(is_key and parent.references)
            or bool(refers and parent.keys)
            or not named.isdisjoint(parent.tables)
            or column in parent.referring
            or not endings.isdisjoint(parent.plain)
        )

    return may_tell


def _told(
    lookup: Lookup, parent: Reads, catalog: Catalog | None, tables: frozenset[str]
) -> list[Link]:
    """All links between a lookup and a parent's rows; without the table it loads."""
    owner, column = lookup.owner, lookup.column
    table = catalog.table(owner) if catalog else None
    guesses = _links_by_names(column, owner, parent, tables)
    if catalog is None or table is None or not _has_keys(catalog):
        return guesses
    proved = _links_by_keys(lookup, parent, catalog, table)
    # Schemas without constraints are common, so a clear name still counts, for less.
    named = [guess for guess in guesses if guess.strength >= _CLEAR_NAME]
    return proved or [replace(guess, strength=guess.strength * 0.8) for guess in named]


def _has_keys(catalog: Catalog) -> bool:
    return any(table.foreign_keys for table in catalog)


def _links_by_keys(lookup: Lookup, parent: Reads, catalog: Catalog, owner: Table) -> list[Link]:
    """Links that foreign keys prove, and two weaker ones that they make likely."""
    column = lookup.column
    unique = lookup.key == (column,)
    parents = {known.name: known for name in parent.tables if (known := catalog.table(name))}
    found: list[Link] = []
    for key in owner.foreign_keys:
        if column not in key.columns:
            continue
        referenced = key.target_columns[key.columns.index(column)] if key.target_columns else "id"
        if key.target in parents:
            how = f"{owner.name}.{column} references {key.target}.{referenced}"
            found.append(Link(1.0, how, key.target, (referenced,)))
        found += [
            Link(
                0.7,
                f"{owner.name}.{column} and {name}.{other.columns[0]} reference {key.target}",
                name,
                other.columns,
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
            )
            for key in table.foreign_keys
            if key.target == owner.name and column in (key.target_columns or (column,))
        ]
    if unique:
        found += [
            Link(0.7, how, name, (told,))
            for name, told, how in _polymorphic(parent, owner.name, column)
        ]
    # No key says which table such a column refers to, so its having none says nothing.
    names = [one.name for one in owner.columns]
    if owner.name not in parents and _names.names_kind_beside(column, names):
        reads = parents.get(parent.main or "")
        keys = reads.primary_key if reads else ()
        found += _links_to_row(column, owner.name, parent, keys)
    if owner.name in parents and lookup.key:
        how = f"the rows of {owner.name} are loaded again one by one by {', '.join(lookup.key)}"
        found.append(Link(0.9, how, owner.name, lookup.key))
    return found


def _links_by_names(column: str, owner: str, parent: Reads, tables: frozenset[str]) -> list[Link]:
    """Links guessed from the names of tables and columns."""
    found = [
        Link(0.9, f"{owner}.{column} is named after {name}", name, ("id",))
        for name in parent.tables
        if name != owner and _names.refers_to(column, name)
    ]
    found += [
        Link(0.9, f"{owner}.{column} is named after {table}.{name}", table, (name,))
        for table, name in parent.named_both(column)
        if table != owner
    ]
    found += [
        Link(0.6, f"{owner} and {table} share {column}", table, (name,))
        for table, name in parent.references
        if name == column and table != owner
    ]
    if _names.is_key(column) or _names.refers_to(column, owner):
        found += _links_to_key(column, owner, parent)
    elif _names.reference(column) and not _names.refers_to_any(column, tables):
        found += _links_to_row(column, owner, parent)
    return found


def _links_to_row(
    column: str, owner: str, parent: Reads, known: tuple[str, ...] = ()
) -> list[Link]:
    """The child looks rows up by a reference that is named after no table of the workload.

    `known` is the primary key of the parent's main table, where a catalog has it.
    """
    reads = parent.main
    if reads is None:
        return []
    if owner in parent.tables:
        if _names.reference(column) not in _UPWARDS:
            return []
        how = f"{owner}.{column} refers to rows of {owner} itself"
        return [Link(0.8, how, owner, ("id",))]
    keys = [name for name in parent.own if name in parent.keys or known == (name,)]
    if not keys and not parent.star:
        return []
    how = f"{owner}.{column} may refer to {reads} (guessed, no foreign key is known)"
    return [Link(0.5, how, reads, tuple(keys[:1]) or ("id",))]


def _links_to_key(column: str, owner: str, parent: Reads) -> list[Link]:
    """The child looks a row up by its key: who may have told the key?"""
    found: list[Link] = []
    for table, name in parent.references:
        if table != owner and _names.refers_to(name, owner):
            how = f"{table}.{name} is named after {owner}"
            found.append(Link(0.9, how, table, (name,)))
        elif table != owner:
            how = f"{table}.{name} may refer to {owner}.{column} (guessed, no foreign key is known)"
            found.append(Link(0.5, how, table, (name,)))
    found += [
        Link(0.7, how, table, (name,)) for table, name, how in _polymorphic(parent, owner, column)
    ]
    if owner in parent.tables:
        how = f"the rows of {owner} are loaded again one by one by {column}"
        found.append(Link(0.8, how, owner, (column,)))
    if parent.star and parent.main and parent.main != owner:
        how = f"a column of {parent.main} may refer to {owner}.{column} (guessed, SELECT *)"
        found.append(Link(0.4, how, parent.main, ("*",)))
    return found


def _polymorphic(parent: Reads, owner: str, column: str) -> list[tuple[str, str, str]]:
    """Columns of the parent that refer to rows of any table, whose kind stands in another column.

    Django's content_type_id and object_id, Rails' commentable_type and commentable_id.
    """
    if not (_names.is_key(column) or _names.refers_to(column, owner)) or column.endswith("_key"):
        return []
    return [
        (
            table,
            name,
            f"{table}.{name} refers to rows of several tables, {owner}.{column} among them",
        )
        for table, name in parent.kinds
        if table != owner
    ]


def loaded_table(child: StatementFacts, owner: str, parent: Reads) -> str:
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
