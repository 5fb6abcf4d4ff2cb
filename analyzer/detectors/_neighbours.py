"""The watchers of slices that detectors beside the loops' share: each slice is looked at once."""

import numpy as np

from analyzer.detectors._fetches import Fetches
from analyzer.detectors._pages import Pages
from analyzer.detectors._transactions import Transactions
from analyzer.detectors._writes import Writes
from analyzer.model.columns import Rows
from analyzer.model.work import WorkSlice


class Neighbours:
    """Watches writes, pages, fetches and transactions as the executions pass by."""

    def __init__(self) -> None:
        self.writes = Writes()
        self.pages = Pages()
        self.fetches = Fetches()
        self.transactions = Transactions()

    def observe(self, work: WorkSlice, children: Rows, covered: Rows) -> None:
        """Look at a slice. Loops of reads explain the rows `covered`, `children` with their parent."""
        if len(work):
            written = self.writes.observe(work, children)
            self.pages.observe(work)
            self.fetches.observe(work)
            covered = np.concatenate([covered, written])
        self.transactions.observe(work, covered)
