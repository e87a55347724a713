"""What has to go over which border: no more than balance needs, along the cheapest ways."""

import numpy as np
import pytest

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.dual import Band
from services.assignment.design.engine.flows import Flows, flows
from services.assignment.design.engine.standing import Standing

HARD = np.array([True])


def row(loads: list[float], *, columns: int = 1) -> Standing:
    """Return territories side by side, each 10 km from the next, that touch their neighbours."""
    count = len(loads)
    held = np.repeat(np.array(loads)[:, None], columns, axis=1)
    beside = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) == 1
    return Standing(
        loads=held,
        amount=held.mean(axis=1),
        middles=np.column_stack([np.arange(count) * 10.0, np.zeros(count)]),
        scale=np.full(count, 15.0),
        touching=beside.astype(np.int64),
        dearer=np.zeros((count, count)),
    )


def band(count: int, off: float = 0.1) -> Band:
    """Return the band around 1."""
    ones = np.ones((count, 1))
    return Band(ones * (1 - off), ones * (1 + off), np.zeros(1))


def after(plan: Standing, found: Flows) -> Floats:
    """Return the amounts when everything has flowed."""
    out = plan.amount.copy()
    np.subtract.at(out, found.givers, found.amounts)
    np.add.at(out, found.takers, found.amounts)
    return out


def anyone(count: int) -> np.ndarray:
    return np.ones((count, count), np.bool_)


def test_who_is_in_the_band_is_asked_for_nothing():
    found = flows(row([1.05, 0.95, 1.0]), band(3), HARD, anyone(3), 100.0)
    assert (len(found.givers), found.cost) == (0, 0.0)


def test_a_surplus_goes_on_to_where_there_is_room_and_no_further():
    plan = row([1.4, 1.1, 1.0, 1.0, 1.0, 1.0])
    found = flows(plan, band(6), HARD, anyone(6), 100.0)
    assert set(zip(found.givers.tolist(), found.takers.tolist(), strict=True)) == {
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
    }
    held = after(plan, found)
    assert held == pytest.approx([1.1, 1.1, 1.1, 1.1, 1.1, 1.0])


def test_what_may_not_go_over_a_border_goes_around_or_stays():
    may = anyone(3)
    may[0, 1] = False
    plan = row([1.4, 1.0, 0.6])
    found = flows(plan, band(3), HARD, may, 100.0)
    assert 0 not in found.givers
    assert after(plan, found)[2] == pytest.approx(0.7)
    assert found.cost > 0


def test_a_dearer_border_is_spared():
    """In a ring there are two ways."""
    plan = row([1.2, 1.0, 1.0, 1.0])
    plan.touching[0, 3] = plan.touching[3, 0] = 1
    plan.dearer[0, 1] = 1e6
    found = flows(plan, band(4, 0.05), HARD, anyone(4), 1.0)
    assert (0, 1) not in set(zip(found.givers.tolist(), found.takers.tolist(), strict=True))
    assert np.abs(after(plan, found) - 1).max() <= 0.05 + 1e-6


def test_who_is_to_be_relieved_is_so_by_neighbours_alone():
    plan = row([1.5, 0.95, 1.1, 1.1, 0.9])
    relieved = np.array([True, False, False, False, False])
    found = flows(plan, band(5), HARD, anyone(5), 100.0, relieved)
    assert set(found.givers.tolist()) == {0}
    assert after(plan, found) == pytest.approx([1.35, 1.1, 1.1, 1.1, 0.9])


def test_nobody_beside_anybody_stays_as_it_is():
    plan = row([2.0])
    assert len(flows(plan, band(1), HARD, anyone(1), 1.0).givers) == 0
