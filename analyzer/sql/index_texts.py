"""The expressions and the condition of a CREATE INDEX, whose texts are not in the syntax tree."""

from pglast import parser


def index_texts(statement: str, count: int) -> tuple[list[str], str | None]:
    """The expressions and the condition of a CREATE INDEX, as PostgreSQL itself would print them.

    Text is taken from libpg_query's own print of the statement, whose form is fixed: elements
    between commas inside the first parentheses, an expression in parentheses of its own or a
    function call, the condition after the WHERE outside of all parentheses.
    """
    try:
        printed = parser.deparse_protobuf(parser.parse_sql_protobuf(statement))
    except (parser.ParseError, parser.DeparseError):
        return ["?"] * count, "?"
    depth, elements, predicate = 0, 0, None
    texts = ["?"] * count
    start = end = -1  # of the current element's expression
    for token in parser.scan(printed):
        if token.name == "ASCII_40":
            depth += 1
            if depth == 1 and elements == 0 and start < 0:
                start = token.end + 1
        elif token.name == "ASCII_41":
            depth -= 1
            if depth == 1 and end < 0:
                end = token.end + 1
        elif depth == 0 and token.name == "WHERE":
            predicate = printed[token.end + 1 :].strip()
        closes = token.name == "ASCII_41" and depth == 0
        if elements < count and (closes or (token.name == "ASCII_44" and depth == 1)):
            text = printed[start : end if end > 0 else token.start].strip()
            texts[elements] = text[1:-1] if text.startswith("(") else text
            elements, start, end = elements + 1, token.end + 1, -1
    return texts, predicate
