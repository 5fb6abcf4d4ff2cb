"""Statements that a planner is asked about: how many parameters each has."""

from analyzer.errors import WhatIfError
from analyzer.model.what_if import PlannedStatement
from analyzer.sql.read_only import NotExplainableError, parameter_count


class ParameterCounts:
    """Parameters by statement, each text parsed once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, statement: PlannedStatement) -> int:
        """How many parameters a statement has.

        Raises:
            WhatIfError: it cannot be explained.
        """
        known = self._known.get(statement.sql)
        if known is None:
            try:
                known = parameter_count(statement.sql)
            except NotExplainableError as error:
                raise WhatIfError(str(error)) from None
            self._known[statement.sql] = known
        return known
