"""Who a statement is: fingerprint, shape and lineage (docs/architecture.md, Identity)."""

import hashlib
import re
from collections.abc import Iterable
from typing import cast

from analyzer.model.statement import Statement
from analyzer.patterns import regex
from analyzer.sql import tree
from analyzer.sql.facts import UNKNOWN, read_facts
from analyzer.sql.hidden_words import hide_compared
from analyzer.sql.keys import safe_key
from analyzer.sql.redact import normalise, read_tokens
from analyzer.sql.survey import MANY, ONE, Survey, survey
from analyzer.sql.tree import Node

_SPELLED_CODES = 4  # more arity classes than this are hashed into one
_NOT_IDENTITY = frozenset(
    {"location", "stmt_location", "stmt_len", "rexpr_list_start", "rexpr_list_end"}
)

_VALUES = frozenset({"A_Const", "ParamRef"})
_WITH_COLUMNS = frozenset(
    {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "OnConflictClause"}
)

# From 17 on, pg_stat_statements writes `$n` also where the grammar asks for a name, a text or a count.
_MASKED = regex(
    r"""\s*(?:(?:savepoint|release(?:\s+savepoint)?|rollback(?:\s+(?:work|transaction))?\s+to(?:\s+savepoint)?
        |close|deallocate(?:\s+prepare)?)\s+(?P<name>\$\d+)
        |(?:(?:prepare\s+transaction|(?:commit|rollback)\s+prepared)\s+(?P<text>\$\d+))
        |(?:fetch|move)\s+(?:(?:forward|backward|absolute|relative)\s+)?(?P<count>\$\d+)(?:\s+(?:from|in))?\s+\S+)
        \s*;?\s*\Z""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_UNMASKED = {"name": "c", "text": "'c'", "count": "2"}


def short_hash(text: str, digits: int = 16) -> str:
    """A stable hexadecimal hash, for keys and anchors (not for security)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def identify(text: str) -> Statement:
    """The statement that a text is an execution of."""
    fingerprint = tree.fingerprint(text)
    if fingerprint is None and (masked := _MASKED.match(text)):
        kind = str(masked.lastgroup)
        return identify(text[: masked.start(kind)] + _UNMASKED[kind] + text[masked.end(kind) :])
    if fingerprint is None:
        name = "x" + short_hash(safe_key(text)[0], 15)
        sql = hide_compared(normalise(text))
        return Statement(name, name, name, sql, parsed=False, facts=UNKNOWN)
    literals = read_tokens(text)
    sql = normalise(text, literals)
    try:
        nodes = tree.parse(text)
        skeletons = [_skeleton(node) for node in nodes]
    except (tree.ParseError, RecursionError):  # fingerprinted, but nested too deeply to walk
        return Statement(fingerprint, fingerprint, fingerprint, sql, parsed=True, facts=UNKNOWN)
    surveys = [survey(node) for node in nodes]
    codes = _arity_codes(surveys, squashed="/*, ... */" in text)
    return Statement(
        shape_id="-".join([fingerprint, *_spell(codes)]),
        fingerprint=fingerprint,
        lineage=short_hash("\n".join([*skeletons, *codes])),
        sql=sql,
        parsed=True,
        facts=read_facts(nodes, text, surveys, literals),
    )


def _arity_codes(surveys: Iterable[Survey], *, squashed: bool) -> list[str]:
    """The arity classes of a text in order.

    `squashed`: the text is from PostgreSQL 18's pg_stat_statements, whose lists of one may stand
    for more.
    """
    codes = [code for met in surveys for code in met.arity]
    return [MANY if code == ONE else code for code in codes] if squashed else codes


def _spell(codes: list[str]) -> list[str]:
    if len(codes) > _SPELLED_CODES:
        return ["a" + short_hash("-".join(codes), 7)]
    return codes


def _skeleton(node: object) -> str:
    """A tree as text without values, target lists and written columns (see Lineage)."""
    kind = type(node)
    if kind is list:
        return "[" + ",".join([_skeleton(item) for item in cast("list[object]", node)]) + "]"
    if kind is not dict:
        return str(node)
    parts = []
    for name, value in cast("Node", node).items():
        if name in _NOT_IDENTITY:
            continue
        if type(value) is str:
            parts.append(f"{name}:{value}")
        elif name in _VALUES:
            parts.append("?")
        elif name in _WITH_COLUMNS:
            parts.append(f"{name}({_skeleton(_without_columns(value))})")
        elif name == "A_Expr" and value.get("kind") == "AEXPR_IN":
            parts.append(f"IN({_skeleton(value.get('lexpr'))},{_skeleton(value.get('name'))})")
        else:
            parts.append(f"{name}:{_skeleton(value)}")
    return "{" + ",".join(parts) + "}"


def _without_columns(fields: Node) -> Node:
    """A statement without what a new column in a model changes."""
    kept = {}
    for name, value in fields.items():
        if name == "targetList":
            kept[name] = _computed(value)
        elif name in ("cols", "valuesLists", "returningClause"):
            continue  # the arity class already tells one row from many
        elif name == "groupClause":
            kept[name] = value[:1]  # ORMs group by every selected column; the first is the key
        else:
            kept[name] = value
    return kept


def _computed(targets: list[Node]) -> list[str]:
    """What a target list computes (functions, subqueries, assignments of expressions), sorted."""
    found = set()
    for target in targets:
        value = target.get("ResTarget", {}).get("val", {})
        inner, _ = tree.without_casts(value) if value else ({}, [])
        if not inner or "ColumnRef" in inner or "A_Const" in inner or "ParamRef" in inner:
            continue
        kind, fields = tree.kind_of(inner)
        if kind == "FuncCall":
            found.add(_call(fields))
        elif kind == "SubLink":
            found.add("SubLink" + _skeleton(fields.get("subselect")))
        else:
            found.add(kind)
    return sorted(found)


def _call(fields: Node) -> str:
    """A function call without plain column and constant arguments (jsonb_build_object lists columns)."""
    inner = _computed([{"ResTarget": {"val": argument}} for argument in fields.get("args", [])])
    return ".".join(tree.strings(fields.get("funcname"))) + "(" + ",".join(inner) + ")"
