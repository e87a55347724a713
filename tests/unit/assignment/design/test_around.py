"""Answers around what is new or gone, and what one rep more or fewer would do, of accounts that are kept together, too."""

import numpy as np
import pytest

from services.assignment.design.designing import design
from services.assignment.design.engine.proposal import Reason
from services.assignment.design.engine.short_of import ShortOf
from tests.unit.assignment.design.test_designing import SIDE, question

ROWS, COLUMNS = np.divmod(np.arange(SIDE * SIDE), SIDE)
PAIRS = ROWS * SIDE + COLUMNS // 2


@pytest.mark.parametrize("contiguous", [True, False])
def test_a_leaf_more_among_accounts_that_are_kept_together(*, contiguous: bool):
    asked = question(
        around=True,
        incumbents=(ROWS // 10).astype(np.int32),
        capacities=np.ones(3),
        tolerance=np.array([0.15]),
        stay=1.0,
        groups=PAIRS,
        least_accounts=np.full(3, 100.0),
        contiguous=contiguous,
    )
    answer = design(asked, seconds=60, tell=lambda _: None)
    labels = answer.proposal.labels
    assert answer.proposal.feasible, answer.proposal.why
    assert (labels[::2] == labels[1::2]).all()
    assert np.bincount(labels, minlength=3).min() >= 133 * 0.85 - 1
    stays = labels == asked.incumbents
    assert set(answer.proposal.reasons[stays]) == {Reason.STAYS}
    assert Reason.STAYS not in answer.proposal.reasons[~stays]
    assert answer.moved == (~stays).sum()
    assert answer.frontier is None


def test_what_one_rep_more_or_fewer_would_do_is_told_of_accounts_that_are_kept_together():
    asked = question(groups=PAIRS, capacities=np.ones(3), tolerance=np.array([0.15]), stay=0.0)
    answer = design(asked, seconds=120, tell=lambda _: None)
    found = answer.sensitivity
    assert found is not None
    assert found.one_more is not None
    assert found.one_fewer is not None
    for change in (found.one_more, found.one_fewer):
        assert change.mean_km_before == pytest.approx(answer.overall_km, rel=1e-9)
        assert change.moved % 2 == 0
    assert found.one_more.mean_km_after < answer.overall_km < found.one_fewer.mean_km_after
    # A fourth of the accounts goes to a fourth rep, less the tolerance; those of a rep who leaves go in any case.
    assert found.one_more.moved >= 100 * 0.85 - 1
    held = np.bincount(answer.proposal.labels)
    assert found.one_fewer.leaves is not None
    assert found.one_fewer.moved >= held[found.one_fewer.leaves]


@pytest.mark.parametrize("swapped", [False, True])
def test_what_was_out_of_balance_or_in_parts_far_from_the_change_is_told_apart(*, swapped: bool):
    """Along a road the last two leaves hold 5 and 35 of 120 accounts, the others 20; a leaf is new at its beginning.

    Swapped: each of the two has an account in the midst of the other's.
    """
    along = np.arange(120)
    ends = np.cumsum([20, 20, 20, 20, 5, 35])
    incumbents = np.searchsorted(ends, along, side="right").astype(np.int32)
    if swapped:
        incumbents[[82, 110]] = incumbents[[110, 82]]
    asked = question(
        around=True,
        latitude=np.full(120, 45.0),
        longitude=5.0 + along / 100,
        measures=np.ones((120, 1)),
        move_value=np.ones(120),
        incumbents=incumbents,
        uprooted=np.zeros(120, dtype=np.bool_),
        fixed=np.full(120, -1, np.int32),
        capacities=np.ones(7),
        homes=np.array([*[[np.nan, np.nan]] * 6, [45.0, 5.0]]),
        tolerance=np.array([0.25]),
        stay=1.0,
    )
    answer = design(asked, seconds=60, tell=lambda _: None)
    labels = answer.proposal.labels
    far = asked.incumbents >= 4
    assert (labels[far] == asked.incumbents[far]).all()
    told, *parts = answer.proposal.why
    assert [(one.code, one.measure, one.territories, one.figure) for one in parts] == (
        [(ShortOf.LEFT_ALONE, None, (4, 5), None)] if swapped else []
    )
    assert (told.code, told.measure, told.territories) == (ShortOf.LEFT_ALONE, 0, (4, 5))
    assert told.figure == pytest.approx(35 / (120 / 7) - 1)
    assert not answer.proposal.feasible
