"""How many values that children look up are among those that their parent can return."""

from dataclasses import fields

from analyzer.records import changing

ENOUGH = 5  # values from which they tell something
_NEARLY_ALL = 0.9
_MOSTLY = 0.75


@changing
class DrawnValues:
    """Of values that were compared with what their parent can return, how many were inside and outside.

    `listed` counts those of a list (else the parent asks for a single value). `sorted` counts parents, of
    `sortable`, whose children came in the order that the parent sorts its rows by.
    """

    looked: int = 0
    inside: int = 0
    outside: int = 0
    listed: int = 0
    sortable: int = 0
    sorted: int = 0

    @property
    def from_parent(self) -> bool:
        """Whether nearly all values are among those that the parent can return."""
        return self.inside >= max(ENOUGH, _NEARLY_ALL * self.looked)

    @property
    def from_elsewhere(self) -> bool:
        """Whether most values are none that the parent can return.

        Not nearly all: siblings in the turns of a loop share the value of the first turn.
        """
        return self.outside >= max(ENOUGH, _MOSTLY * self.looked)

    def add(self, others: "DrawnValues") -> None:
        """Add those of a slice."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(others, one.name))

    @property
    def in_order(self) -> bool:
        """Whether the children's values come as the parent sorts its rows."""
        return self.sorted > 0 and self.sorted >= _NEARLY_ALL * self.sortable
