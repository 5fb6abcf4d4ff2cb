"""Views of a schema while it is being read: their queries by name."""

from analyzer.model.catalog import table_name
from analyzer.sql.definitions import CreateView, DropView, Name, RenameView


def change_views(
    views: dict[str, str], change: CreateView | RenameView | DropView, schema: str
) -> None:
    """Apply one definition; `schema` is the one of names without any."""
    match change:
        case CreateView(name, query):
            views[_key(name, schema)] = query
        case RenameView(old, new_schema, new_name):
            before = _key(old, schema)
            if before in views:
                renamed = Name(new_schema or old.schema, new_name or old.name)
                views[_key(renamed, schema)] = views.pop(before)
        case DropView(name):
            views.pop(_key(name, schema), None)


def _key(name: Name, schema: str) -> str:
    return table_name(name.schema or schema, name.name)
