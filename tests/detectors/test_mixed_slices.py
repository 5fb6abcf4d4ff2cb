"""Slices of several programs mixed into one log: the same pairs come out, and no other."""

import random
from pathlib import Path

import pytest
from mixing import in_turns, side_by_side
from slices import CORPUS, ORMS, SLICES, wanted

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.pipeline import Options, run

LOGS = [(orm, name) for orm, name in SLICES if name.endswith(".csv")]
SEEDS = range(24)


def chosen(chance: random.Random) -> list[tuple[str, str]]:
    """Some slices, of one program or of all."""
    orm = chance.choice((*ORMS, None))
    some = [one for one in LOGS if orm in (None, one[0])]
    return chance.sample(some, min(len(some), chance.randint(4, 14)))


def pairs(path: Path) -> set[tuple[str, str]]:
    found = run(Options(inputs=[str(path)], log_min_duration_ms=0)).findings
    shown = [one.evidence for one in found if isinstance(one.evidence, NPlusOneEvidence)]
    return {(f"{one.parent_table}".lower(), f"{one.child_table}".lower()) for one in shown}


def labelled(slices: list[tuple[str, str]]) -> set[tuple[str, str]]:
    expected = [one for orm, name in slices for one in wanted(orm, name) or ()]
    return {(one.parent.lower(), one.child.lower()) for one in expected}


@pytest.mark.parametrize("seed", SEEDS)
def test_side_by_side(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same mixture in every run
    slices = chosen(chance)
    log = tmp_path / "mixed.csv"
    paths = [CORPUS / orm / name for orm, name in slices]
    log.write_text(side_by_side(paths, chance, chance.choice((1, 3, 10))))
    assert pairs(log) == labelled(slices)


@pytest.mark.parametrize("seed", SEEDS)
def test_in_turns_on_shared_connections(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - as above
    slices = chosen(chance)
    log = tmp_path / "mixed.csv"
    paths = [CORPUS / orm / name for orm, name in slices]
    log.write_text(in_turns(paths, chance, chance.choice((1, 2, 3))))
    assert pairs(log) == labelled(slices)
