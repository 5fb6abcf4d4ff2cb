"""Who is asked what indexes would do: HypoPG on the server named, a clone, or nobody."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from analyzer.errors import ServerError, UsageError
from analyzer.model.blueprint import Blueprint
from analyzer.model.index_request import IndexRequest
from analyzer.model.what_if import WhatIf
from analyzer.sources.postgres.clone import open_clone
from analyzer.sources.postgres.hypopg import HypoPG


@contextmanager
def open_what_if(
    request: IndexRequest,
    server: tuple[str | None, bool],
    blueprint: Callable[[], Blueprint] | None,
    warnings: list[str],
) -> Iterator[WhatIf | None]:
    """The planner that the request asks for, closed at the end; None where rules have to do.

    Where the request leaves it open, HypoPG is taken if the server has it, and a warning says if not.

    Args:
        request: which way.
        server: its DSN, and whether there is a server at all.
        blueprint: what a clone is built from.
        warnings: where what is missing is said.

    Raises:
        UsageError: HypoPG is asked for and no server is named.
        ServerError: the way that is asked for cannot be used.
    """
    dsn, named = server
    if request.what_if == "none" or (request.what_if is None and not named):
        yield None
    elif request.what_if == "clone" and blueprint is not None:
        with closing(open_clone(blueprint())) as clone:
            warnings += clone.warnings
            yield clone
    elif not named:
        raise UsageError("--what-if hypopg asks a live server: name it by --dsn, or give --live")
    else:
        opened = _hypopg(dsn, warnings, needed=request.what_if == "hypopg")
        if opened is None:
            yield None
        else:
            with closing(opened):
                yield opened


def _hypopg(dsn: str | None, warnings: list[str], *, needed: bool) -> HypoPG | None:
    try:
        return HypoPG(dsn)
    except ServerError as error:
        if needed:
            raise
        warnings.append(f"index advice by rules only, no index was tried: {error}")
        return None
