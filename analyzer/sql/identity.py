"""Who a statement is: fingerprint, shape and lineage (docs/architecture.md, Identity)."""

import hashlib

from analyzer.model.statement import Statement
from analyzer.sql import tree
from analyzer.sql.facts import UNKNOWN, read_facts
from analyzer.sql.keys import safe_key
from analyzer.sql.redact import normalise
from analyzer.sql.tree import Node

_SPELLED_CODES = 4  # more arity classes than this are hashed into one
_NOT_IDENTITY = frozenset(
    {"location", "stmt_location", "stmt_len", "rexpr_list_start", "rexpr_list_end"}
)


def short_hash(text: str, digits: int = 16) -> str:
    """A stable hexadecimal hash, for keys and anchors (not for security)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def identify(text: str) -> Statement:
    """The statement that a text is an execution of."""
    fingerprint = tree.fingerprint(text)
    if fingerprint is None:
        name = "x" + short_hash(safe_key(text)[0], 15)
        return Statement(name, name, name, normalise(text), parsed=False, facts=UNKNOWN)
    try:
        nodes = tree.parse(text)
    except tree.ParseError:  # fingerprinted, but nested too deeply to walk
        sql = normalise(text)
        return Statement(fingerprint, fingerprint, fingerprint, sql, parsed=True, facts=UNKNOWN)
    codes = arity_codes(nodes, squashed="/*, ... */" in text)
    shape_id = "-".join([fingerprint, *_spell(codes)])
    return Statement(
        shape_id=shape_id,
        fingerprint=fingerprint,
        lineage=short_hash("\n".join([*(_skeleton(node) for node in nodes), *codes])),
        sql=normalise(text),
        parsed=True,
        facts=read_facts(nodes, text),
    )


# Arity classes, as they stand in a shape_id.
_ONE = "i1"  # IN ($1)
_MANY = "in"  # IN ($1, $2)
_ARRAY = "any"  # = ANY($1)
_ROWS = "rows"  # VALUES (…), (…)


def arity_codes(nodes: list[Node], *, squashed: bool = False) -> list[str]:
    """The arity classes of a tree in order: what tells a loop from a batch where fingerprints don't.

    `squashed`: the text is from PostgreSQL 18's pg_stat_statements, whose lists of one may stand
    for more.
    """
    codes = []
    for kind, fields in tree.walk(nodes):
        if kind == "A_Expr":
            form = fields.get("kind")
            if form == "AEXPR_IN":
                items = fields.get("rexpr", {}).get("List", {}).get("items", [])
                codes.append(_MANY if len(items) > 1 or squashed else _ONE)
            elif form in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
                codes.append(_ARRAY)
        elif kind == "SelectStmt" and len(fields.get("valuesLists", ())) > 1:
            codes.append(_ROWS)
    return codes


def _spell(codes: list[str]) -> list[str]:
    if len(codes) > _SPELLED_CODES:
        return ["a" + short_hash("-".join(codes), 7)]
    return codes


def _skeleton(node: object) -> str:
    """A tree as text without values, target lists and written columns (see Lineage)."""
    if isinstance(node, list):
        return "[" + ",".join(_skeleton(item) for item in node) + "]"
    if not isinstance(node, dict):
        return str(node)
    parts = []
    for name, value in node.items():
        if name in _NOT_IDENTITY:
            continue
        if name in ("A_Const", "ParamRef"):
            parts.append("?")
        elif name in ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "OnConflictClause"):
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
