"""A frontier is told of accounts, over the sphere, whatever the engine makes of them."""

import numpy as np
import pytest

from services.assignment.design.designing import design
from tests.unit.assignment.design.test_designing import question

COUNT = 120


@pytest.mark.parametrize("kept_together", [False, True])
def test_travel_within_reach_is_told_like_the_proposals(*, kept_together: bool):
    """Accounts get larger along a road of 4,000 km: as many in each territory, or as large."""
    along = np.arange(COUNT)
    asked = question(
        latitude=np.full(COUNT, 45.0),
        longitude=5.0 + along * 0.4,
        measures=np.column_stack([np.ones(COUNT), np.exp(2 * along / COUNT)]),
        move_value=np.ones(COUNT),
        incumbents=np.full(COUNT, -1, np.int32),
        uprooted=np.zeros(COUNT, dtype=np.bool_),
        fixed=np.full(COUNT, -1, np.int32),
        tolerance=np.array([0.05, 0.05]),
        soft=np.array([False, False]),
        capacities=np.ones(3),
        stay=0.0,
        groups=along // 2 if kept_together else None,
    )
    answer = design(asked, seconds=120, tell=lambda _: None)
    assert not answer.proposal.feasible
    assert answer.frontier is not None
    (own,) = [point for point in answer.frontier.points if point.asked is None]
    assert own.mean_km == pytest.approx(answer.overall_km, rel=1e-9)
    assert own.deviation == pytest.approx(answer.proposal.deviation)
    assert abs(answer.proposal.mean_km / answer.overall_km - 1) > 0.002
