"""Histograms leave out the high bytes of their counts where all are 0; earlier ones stay as they are.

Nothing changes in what is stored already. But a pg95 that knows only the earlier form must not read
the new one, and refuses a store by its revision.
"""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing to do: both forms are read."""
