"""A slice's rows with its asides in their places: whole transactions, their control included."""

import numpy as np

from analyzer.detectors._orders import run_sizes
from analyzer.model.columns import Column, Flags, Rows, run_starts, sorted_distinct
from analyzer.model.work import WorkSlice
from analyzer.records import changing, record


@changing
class MergedRows:
    """All rows of a slice, the team's and the others, ordered by session and time.

    `team` marks the team's statements, `trip` those of them that nothing else explains.
    """

    session: Column
    start_us: Rows
    end_us: Rows
    statement: Rows
    boundary: Column
    effect: Column
    team: Flags
    trip: Flags


@record
class Merged:
    """The rows of a slice with the asides in their places: what each is.

    `team` marks the team's, `at` are the places of the asides.
    """

    work: WorkSlice
    team: Flags
    at: Rows

    @classmethod
    def of(cls, work: WorkSlice) -> "Merged":
        at = work.asides.place + np.arange(len(work.asides))
        team = np.ones(len(work) + len(at), dtype=bool)
        team[at] = False
        return cls(work, team, at)

    def transactions(self, going_on: Rows) -> tuple[Rows, Rows]:
        """Transactions, by the first of all rows and how many: from opening to end, or up to where the session's rows end.

        `going_on` are sessions whose transaction an earlier slice left open.
        """
        boundary = self.work.asides.boundary
        firsts, sessions = self._session_starts()
        ends = self.at[boundary == -1] + 1
        opens = [self.at[boundary == 1], firsts[np.isin(sessions, going_on)]]
        starts = sorted_distinct(np.concatenate([firsts, ends[ends < len(self.team)], opens[0]]))
        opened = np.zeros(len(starts), dtype=bool)
        opened[np.searchsorted(starts, np.concatenate(opens))] = True
        return starts[opened], run_sizes(starts, len(self.team))[opened]

    def _session_starts(self) -> tuple[Rows, Column]:
        """Where (in all rows) those of another session begin than the row before, and that session.

        Asides are few: what stands beside them is looked at, and else where the team's sessions change.
        """
        session, asides = self.work.session, self.work.asides
        place, others = asides.place, asides.session
        at_once = place[1:] == place[:-1]  # asides that follow each other
        behind = np.append(~at_once, True)[: len(place)]
        behind[place == len(session)] = False
        rows = place[behind]  # the team's behind an aside
        rows = rows[session[rows] != others[behind]]
        starts = run_starts(session)
        known = np.searchsorted(place, starts, side="right")
        beside = np.searchsorted(place, starts) < known
        rows = np.concatenate([rows, starts[~beside]])
        new = place == 0
        new[~new] = session[place[~new] - 1] != others[~new]
        new[1:] = np.where(at_once, others[1:] != others[:-1], new[1:])
        merged = rows + np.searchsorted(place, rows, side="right")
        return np.concatenate([merged, self.at[new]]), np.concatenate([session[rows], others[new]])

    def some(self, some: Rows, covered: Rows, learned: tuple[Column, Column]) -> MergedRows:
        """Some of all rows. `covered` are explained already, `learned` effects and chats by statement."""
        work, asides, team = self.work, self.work.asides, self.team[some]
        behind = np.searchsorted(self.at, some)  # asides before each
        ours_at, theirs_at = np.flatnonzero(team), np.flatnonzero(~team)
        mine, others = (some - behind)[ours_at], behind[theirs_at]

        def both(ours: Column, theirs: Column) -> Column:
            column = np.empty(len(some), dtype=ours.dtype)
            column[ours_at], column[theirs_at] = ours[mine], theirs[others]
            return column

        statement = both(work.statement, asides.statement)
        unexplained = np.ones(len(work), dtype=bool)
        unexplained[covered] = False
        effects, chats = learned
        return MergedRows(
            session=both(work.session, asides.session),
            start_us=both(work.start_us, asides.start_us),
            end_us=both(work.end_us, asides.end_us),
            statement=statement,
            boundary=both(np.zeros(len(work), dtype=asides.boundary.dtype), asides.boundary),
            effect=effects[statement],
            team=team,
            trip=both(unexplained, np.zeros(len(asides), dtype=bool)) & (chats[statement] == 1),
        )
