"""Calls of Prisma's client as its tags and spans name them ("Project.findMany"), and what to write instead.

Tags have the engine's names (`createOne`), code the client's (`create`): both are read, the client's are written.
"""

from analyzer.model.catalog import Catalog, Relation
from analyzer.patterns import regex
from analyzer.records import record

TOLD = "the call as its prismaQuery tag or span names it"
_ONE = frozenset(("findUnique", "findUniqueOrThrow", "findFirst", "findFirstOrThrow", "create", "update", "upsert", "delete"))  # fmt: skip
_MANY = frozenset(("findMany", "createManyAndReturn", "updateManyAndReturn"))
_ENGINE_ONE = regex(r"(?<=create|update|upsert|delete)One\Z")
_MOST_WAYS = 1_000
_MOST_STEPS = 3  # relations from a call's model to the one whose rows it loads


@record
class Call:
    """`prisma.<delegate>.<action>`; `model` is None of raw SQL."""

    model: str | None
    action: str

    @property
    def one(self) -> bool:
        """Whether it gives one row (or null) and no list."""
        return self.action in _ONE

    @property
    def includes(self) -> bool:
        """Whether it gives rows of its model, to which `include` adds."""
        return self.model is not None and (self.one or self.action in _MANY)

    @property
    def counts(self) -> bool:
        """Whether it gives figures of rows."""
        return self.action in ("count", "aggregate", "groupBy")

    @property
    def written(self) -> str:
        """The call in code."""
        return (
            f"prisma.{delegate(self.model)}.{self.action}"
            if self.model
            else f"prisma.${self.action}"
        )


def call_of(text: str | None) -> Call | None:
    """A call of a tag or span, None where none is told."""
    if text is None:
        return None
    model, _, action = text.rpartition(".")
    return Call(model or None, _ENGINE_ONE.sub("", action))


def delegate(model: str) -> str:
    """The client's property for a model."""
    return model[:1].lower() + model[1:]


def path(catalog: Catalog | None, model: str, table: str) -> tuple[Relation, ...] | None:
    """The relation fields that lead from a model to a table, the shortest way; None if nothing tells.

    Where two ways are equally short nothing is told: which of them a call takes its arguments say, which are values.
    """
    known = catalog.table(table) if catalog else None
    start = next((one for one in catalog or () if one.model == model), None)
    if catalog is None or known is None or start is None:
        return None
    ways: list[tuple[Relation, ...]] = [(one,) for one in start.relations]
    for _ in range(_MOST_STEPS):
        ends = [(way, catalog.table(way[-1].target)) for way in ways[:_MOST_WAYS]]
        found = [way for way, end in ends if end is not None and end.name == known.name]
        if found:
            return found[0] if len(found) == 1 else None
        ways = [(*way, further) for way, end in ends if end for further in end.relations]
    return None


def asking(call: Call, inner: str, way: tuple[Relation, ...]) -> tuple[str, str]:
    """The call with an include (`{ … }`) at the end of a way of relations; and what its rows are in code."""
    for relation in reversed(way):
        inner = f"{{ {relation.name}: {{ include: {inner} }} }}"
    rows = "row" if call.one else "rows"
    text = f"const {rows} = await {call.written}({{\n  // {_kept(call)} as in the parent's query\n  include: {inner},\n"
    place = rows if call.one else f"{rows}[i]"
    for relation in way:
        place += f".{relation.name}" + ("[j]" if relation.many else "")
    return text, place


def _kept(call: Call) -> str:
    if call.action == "findMany":
        return "where, orderBy, take"
    return "the arguments"
