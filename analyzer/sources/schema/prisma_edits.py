"""Edits of a schema.prisma's text: attributes put in and taken out, all else as it was.

An attribute goes behind the model's last key or index, else before its `@@map`, with the indentation and the
line ends of the block: where Prisma's own formatter leaves it (`prisma format`).
"""

from collections.abc import Iterator, Mapping, Sequence

from analyzer.errors import InputError
from analyzer.model.schema_change import SchemaEdit
from analyzer.records import record
from analyzer.sources.schema import prisma_syntax as syntax
from analyzer.sources.schema.prisma_models import Model, indexes_of

_KEYS = ("id", "unique", "index", "fulltext")


@record
class _Piece:
    """Text that stands for what was between two offsets."""

    start: int
    end: int
    text: str


def edited(texts: Mapping[str, str], edits: Sequence[SchemaEdit]) -> dict[str, str]:
    """The files of a schema with the edits made.

    Args:
        texts: the files' texts by name.
        edits: of models that are in them.

    Raises:
        InputError: broken syntax, a model that is not there, or an index that it does not declare by an
            attribute of its own.
    """
    changed = dict(texts)
    for name, text in texts.items():
        blocks = {one.name: one for one in syntax.parse(text, name) if one.kind == "model"}
        pieces: list[_Piece] = []
        for model, block in blocks.items():
            mine = [edit for edit in edits if edit.model == model]
            added = [one.added for one in mine if one.added]
            gone = [one.removed for one in mine if one.removed]
            pieces += _removals(text, block, gone, last=not added)
            pieces += _additions(text, block, added)
        changed[name] = _replaced(text, pieces)
    missing = {one.model for one in edits} - _models(texts)
    if missing:
        raise InputError(f"the schema has no model {', '.join(sorted(missing))}")
    return changed


def _models(texts: Mapping[str, str]) -> set[str]:
    return {
        block.name
        for name, text in texts.items()
        for block in syntax.parse(text, name)
        if block.kind == "model"
    }


def _replaced(text: str, pieces: Sequence[_Piece]) -> str:
    for piece in sorted(pieces, key=lambda one: (-one.start, -one.end)):
        text = text[: piece.start] + piece.text + text[piece.end :]
    return text


def _removals(
    text: str, block: syntax.Block, names: Sequence[str], *, last: bool
) -> Iterator[_Piece]:
    """The lines of the attributes that declare these indexes.

    `last` tells that no other attribute takes their place: where none is left, the blank line before goes, too.
    """
    declared = {index.name: attribute for attribute, index in indexes_of(Model(block, ""))}
    doomed = [(name, declared.get(name)) for name in names]
    empty = last and len(names) == len(block.attributes)
    for name, attribute in doomed:
        if attribute is None or attribute not in block.attributes:
            raise InputError(f"model {block.name} declares no index {name} by a line of its own")
        start = text.rfind("\n", 0, attribute.span.start) + 1
        end = text.find("\n", attribute.span.end) + 1
        shared = text[start : attribute.span.start].strip() or not end
        if shared or text[attribute.span.end : end].lstrip().startswith("}"):
            yield _Piece(attribute.span.start, attribute.span.end, "")
            continue
        if empty and attribute is block.attributes[0]:
            start = _without_blank(text, start)
        yield _Piece(start, end, "")


def _without_blank(text: str, start: int) -> int:
    """Where a line begins, or the blank line before it."""
    before = text.rfind("\n", 0, start - 1) + 1
    return before if not text[before:start].strip() else start


def _additions(text: str, block: syntax.Block, lines: Sequence[str]) -> Iterator[_Piece]:
    if not lines:
        return
    newline = "\r\n" if "\r\n" in text[block.span.start : block.span.end] else "\n"
    keys = [one for one in block.attributes if one.name in _KEYS]
    indent = _indent(text, block)
    if keys:
        place = _line_end(text, max(one.span.end for one in keys), block)
        yield _Piece(place, place, "".join(f"{newline}{indent}{line}" for line in lines))
    elif block.attributes:
        place = min(one.span.start for one in block.attributes)
        yield _Piece(place, place, "".join(f"{line}{newline}{indent}" for line in lines))
    else:
        brace = block.span.end - 1
        place = len(text[:brace].rstrip())
        inside = text[place:brace]
        made = newline + "".join(f"{newline}{indent}{line}" for line in lines)
        yield _Piece(place, place, made if "\n" in inside else made + newline)


def _line_end(text: str, position: int, block: syntax.Block) -> int:
    """Where the line of an attribute ends, its comment with it; its own end where the block closes there."""
    end = text.find("\n", position)
    if end < 0 or end >= block.span.end:
        return position
    return end - (text[end - 1] == "\r")


def _indent(text: str, block: syntax.Block) -> str:
    """The white space before the block's members."""
    spans = [one.span for one in block.attributes] + [one.span for one in block.fields]
    for span in spans:
        start = text.rfind("\n", 0, span.start) + 1
        before = text[start : span.start]
        if not before.strip() and start > block.span.start:
            return before
    return "  "
