"""Scores of edited proposals: against the engine's own judgement of the same plan, and against plain searches."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from services.assignment.design.edits.limits import Known, broken_limits, whole_of
from services.assignment.design.edits.moves import Move, Place, WhyNot, sort_moves
from services.assignment.design.edits.score import Designed, TerritoryScore
from services.assignment.design.edits.scoring import Terms, Units, score_territories
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.geography import Plane, great_circle_km, projected
from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.short_of import ShortOf
from services.assignment.design.proposals.shortfall import Shortfall
from services.assignment.design.runs.run import (
    BalancedMeasure,
    DesignMeasure,
    Disruption,
    Mode,
    Scenario,
)

IDS = [UUID(int=k) for k in range(6)]


def scenario(**changed: Any) -> Scenario:
    """A run that balances accounts and, if it is worth it, employees."""
    asked: dict[str, Any] = {
        "mode": Mode.REALIGN,
        "measures": (
            BalancedMeasure(DesignMeasure.ACCOUNTS, 0.1),
            BalancedMeasure(DesignMeasure.EMPLOYEES, 0.1, soft=True),
        ),
        "disruption": Disruption(),
        "pull": 0.0,
        "required": (),
        "contiguous": True,
        "whole": True,
        "with_gaps": True,
        "starts": 1,
        "seed": 1,
    }
    return Scenario(**asked | changed)


def units_of(
    labels: Labels,
    xy: Floats,
    measures: Floats,
    pinned: Flags,
    links: Integers,
    before: Labels,
    road: Floats,
) -> Units:
    """Return the units of a plan whose accounts all weigh and count one, with their road factors."""
    ones = np.ones(len(labels))
    moved = before != labels
    return Units(
        number=np.arange(len(labels)),
        territory=labels.astype(np.int64),
        xy=xy,
        weight=ones,
        road=road,
        measures=measures,
        move_value=ones,
        gained=moved,
        moved=moved,
        pinned=pinned,
        links=links,
    )


@pytest.mark.parametrize("pull", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("contiguous", [True, False])
@pytest.mark.parametrize("wind", [0.0, 3.0])
def test_scores_are_what_the_engine_says_of_the_same_plan(*, pull: float, contiguous: bool, wind: float):
    """Also where roads wind, up to four times as long as the crow's ways."""
    dice = np.random.default_rng(4)
    n, count = 300, 4
    latitude, longitude = 45 + 3 * dice.random(n), 5 + 4 * dice.random(n)
    xy, plane = projected(latitude, longitude)
    touching = neighbours(xy)
    pairs = np.column_stack([np.repeat(np.arange(n), np.diff(touching.starts)), touching.targets])
    measures = np.column_stack([np.ones(n), dice.integers(1, 50, n)]).astype(np.float64)
    homes = [(45.5, 6.0), (46.5, 8.0), None, (47.0, 6.5)]
    # Neither balanced nor whole, and some of the stray ones have to be where they are.
    labels = (2 * (latitude > 46.3) + (longitude > 7)).astype(np.int32)
    labels[dice.choice(n, 25)] = dice.integers(0, count, 25)
    before = dice.integers(0, count, n).astype(np.int32)
    pinned = dice.random(n) < 0.02
    road = 1 + wind * dice.random(n)
    targets = np.tile(measures.sum(axis=0) / count, (count, 1))
    known = [home for home in homes if home is not None]
    places = iter(plane.to_plane(*map(np.array, zip(*known, strict=True))))
    problem = Problem(
        xy=xy,
        weight=road**2,
        measures=measures,
        targets=targets,
        tolerance=np.array([0.1, 0.1]),
        soft=np.array([False, True]),
        adjacency=touching if contiguous else None,
        homes=np.array([(np.nan, np.nan) if home is None else next(places) for home in homes]),
        pull=pull,
        incumbents=before,
        move_value=np.ones(n),
        fixed=np.where(pinned, labels, -1).astype(np.int32),
    )
    by_engine = judged(problem, labels)
    designed = [
        Designed(one, "Here", tuple(target), home)
        for one, target, home in zip(IDS, targets.tolist(), homes, strict=False)
    ]
    lost = {IDS[k]: int(((before == k) & (labels != k)).sum()) for k in range(count)}
    units = units_of(labels, xy, measures, pinned, pairs, before, road)
    terms = Terms(plane=plane, pull=pull, contiguous=contiguous)
    scores = score_territories(units, designed, lost, terms)
    assert [one.parts for one in scores] == by_engine.parts.tolist()
    assert [one.loads for one in scores] == [tuple(row) for row in by_engine.loads.tolist()]
    up, around = plane.to_sphere(by_engine.centres)
    assert [one.latitude for one in scores] == pytest.approx(up.tolist())
    assert [one.longitude for one in scores] == pytest.approx(around.tolist())
    asked = scenario(pull=pull, contiguous=contiguous)
    whole = whole_of(
        asked, designed, scores, Known(), aligned_value=float(n), edited_accounts=0, bound=by_engine.bound
    )
    assert whole.cost == pytest.approx(by_engine.cost)
    km = road * great_circle_km(latitude, longitude, up[labels], around[labels])
    assert whole.mean_km == pytest.approx(km.mean())
    assert [one.mean_km for one in scores] == pytest.approx([km[labels == k].mean() for k in range(count)])
    assert whole.deviation == pytest.approx(by_engine.deviation.tolist())
    assert (whole.moved_accounts, whole.moved_share) == (
        by_engine.moved_units,
        pytest.approx(by_engine.moved),
    )
    assert whole.feasible == by_engine.feasible
    assert [(one.code, one.measure, set(one.territory_ids), one.figure) for one in whole.why] == [
        (one.code, one.measure, {IDS[k] for k in one.territories}, pytest.approx(one.figure))
        for one in by_engine.why
    ]
    assert any(one.broken for one in scores) == contiguous


@given(st.data())
def test_parts_are_those_of_any_graph(data: st.DataObject):
    n = data.draw(st.integers(1, 25))
    labels = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), np.int32)
    pinned = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    # Beyond n are units of other territories, which were not read.
    end = st.integers(0, n + 3)
    links = np.array(data.draw(st.lists(st.tuples(end, end), max_size=40)), np.int64).reshape(-1, 2)
    road = np.array(data.draw(st.lists(st.sampled_from([1.0, 1.5, 2.0]), min_size=n, max_size=n)))
    units = units_of(labels, np.zeros((n, 2)), np.ones((n, 1)), pinned, links, labels, road)
    designed = [Designed(one, "Here", (1.0,), None) for one in IDS[:5]]
    terms = Terms(plane=Plane(0.0, 0.0), pull=0.0, contiguous=True)
    scores = score_territories(units, designed, dict.fromkeys(IDS[:5], 0), terms)
    inner = links[(links < n).all(axis=1)]
    inner = inner[labels[inner[:, 0]] == labels[inner[:, 1]]]
    graph = coo_array((np.ones(len(inner)), (inner[:, 0], inner[:, 1])), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    for k, score in enumerate(scores):
        mine = np.flatnonzero(labels == k)
        groups = [mine[part[mine] == one] for one in np.unique(part[mine])]
        assert score.parts == len(groups)
        assert score.accounts == len(mine)
        first = max(groups, key=lambda group: ((road[group] ** 2).sum(), -group[0]), default=None)
        assert score.broken == any(not pinned[group].any() for group in groups if group is not first)


def _score(k: int, accounts: int, **changed: Any) -> TerritoryScore:
    asked: dict[str, Any] = {
        "territory_id": IDS[k],
        "accounts": accounts,
        "gained": 0,
        "lost": 0,
        "loads": (float(accounts), float(accounts)),
        "latitude": None,
        "longitude": None,
        "mean_km": 1.0,
        "parts": 1,
        "broken": False,
        "weight": float(accounts),
        "cost": 10.0,
        "moved_accounts": 0,
        "moved_value": 0.0,
    }
    return TerritoryScore(**asked | changed)


def test_limits_that_are_not_kept_are_told_the_worst_territory_first():
    designed = [Designed(one, "Here", (100.0, 50.0), None) for one in IDS[:3]]
    scores = [_score(0, 120), _score(1, 0, mean_km=None, parts=0, weight=0.0), _score(2, 105, broken=True)]
    asked = scenario(disruption=Disruption(most_moved=0.25))
    limits = broken_limits(asked, designed, scores, Known(), moved_share=0.26)
    assert [(one.code, one.measure, one.territory_ids, one.figure) for one in limits] == [
        (ShortOf.OUT_OF_TOLERANCE, 0, [IDS[1], IDS[0]], 1.0),
        (ShortOf.EMPTY, None, [IDS[1]], None),
        (ShortOf.IN_PARTS, None, [IDS[2]], None),
        (ShortOf.MOST_MOVED, None, [], 0.26),
    ]
    loose = scenario(contiguous=False)
    assert [one.code for one in broken_limits(loose, designed, scores, Known(), moved_share=1.0)] == [
        ShortOf.OUT_OF_TOLERANCE,
        ShortOf.EMPTY,
    ]
    good = [_score(k, 100) for k in range(3)]
    assert broken_limits(asked, designed, good, Known(), moved_share=0.25) == []


def test_numbers_of_accounts_and_groups_that_are_apart_are_limits_too():
    designed = [Designed(one, "Here", (100.0, 100.0), None, least=100, most=104) for one in IDS[:3]]
    scores = [_score(0, 99), _score(1, 105), _score(2, 104)]
    known = Known(apart=2, apart_in=[IDS[0], IDS[2]])
    limits = broken_limits(scenario(), designed, scores, known, moved_share=0.0)
    assert [(one.code, one.territory_ids, one.figure) for one in limits] == [
        (ShortOf.LEAST_UNITS, [IDS[0]], None),
        (ShortOf.MOST_UNITS, [IDS[1]], None),
        (ShortOf.GROUPS_APART, [IDS[0], IDS[2]], 2.0),
    ]


def test_what_was_known_of_a_measure_stays_known():
    """An account is too large for any territory, whoever has it; what a change left alone is so until it is touched."""
    designed = [Designed(one, "Here", (100.0, 100.0), None) for one in IDS[:3]]
    scores = [_score(0, 150), _score(1, 60), _score(2, 100)]
    large = Shortfall(code=ShortOf.UNIT_TOO_LARGE, measure=0, territory_ids=[IDS[2]], figure=0.4)
    (told,) = broken_limits(scenario(), designed, scores, Known(why=[large]), moved_share=0.0)
    assert (told.code, told.territory_ids, told.figure) == (ShortOf.UNIT_TOO_LARGE, [IDS[0], IDS[1]], 0.5)
    alone = Shortfall(code=ShortOf.LEFT_ALONE, measure=0, territory_ids=[IDS[0], IDS[1]], figure=0.5)
    known = Known(why=[alone], touched={IDS[0], IDS[2]})
    limits = broken_limits(scenario(), designed, scores, known, moved_share=0.0)
    assert [(one.code, one.territory_ids, one.figure) for one in limits] == [
        (ShortOf.OUT_OF_TOLERANCE, [IDS[0]], 0.5),
        (ShortOf.LEFT_ALONE, [IDS[1]], 0.4),
    ]
    torn = [replace(_score(k, 100), broken=True) for k in range(2)]
    alone = replace(alone, measure=None, figure=None)
    limits = broken_limits(
        scenario(), designed[:2], torn, Known(why=[alone], touched={IDS[0]}), moved_share=0.0
    )
    assert [(one.code, one.territory_ids) for one in limits] == [
        (ShortOf.IN_PARTS, [IDS[0]]),
        (ShortOf.LEFT_ALONE, [IDS[1]]),
    ]


@pytest.mark.parametrize(
    ("edited", "load", "bound", "gap"),
    [(0, 50.0, 24.0, 0.25), (1, 50.0, 24.0, None), (0, 50.0, 0.0, None), (0, 60.0, 24.0, None)],
)
def test_a_gap_is_told_where_the_bound_says_something_of_the_plan(
    edited: int, load: float, bound: float, gap: float | None
):
    designed = [Designed(one, "Here", (50.0, 50.0), None) for one in IDS[:3]]
    scores = [_score(k, 50, loads=(50.0, load)) for k in range(3)]
    whole = whole_of(
        scenario(), designed, scores, Known(), aligned_value=0.0, edited_accounts=edited, bound=bound
    )
    assert whole.gap == (None if gap is None else pytest.approx(gap))
    assert (whole.mean_km, whole.cost, whole.moved_share) == (1.0, 30.0, 0.0)


def test_moves_are_held_against_pins_permissions_and_the_run():
    here, there, forbidden, other = IDS[:4]
    places = {
        one: Place(None, here, here, frozenset({here, there}) if one == IDS[2] else None) for one in IDS[:4]
    }
    asked = [
        Move(IDS[0], there),
        Move(IDS[1], there),
        Move(IDS[2], forbidden),
        Move(IDS[2], there),
        Move(IDS[3], other),
        Move(IDS[4], there),
        Move(IDS[5], there),
        Move(IDS[0], here),
    ]
    found = sort_moves(
        asked,
        places=places,
        unknown={IDS[5]},
        designed={here, there, forbidden},
        held={IDS[0]: there, IDS[1]: here},
    )
    assert [(one.row, one.why) for one in found.wrong] == [
        (1, WhyNot.PINNED),
        (2, WhyNot.NOT_PERMITTED),
        (3, WhyNot.NAMED_TWICE),
        (4, WhyNot.UNKNOWN_TERRITORY),
        (5, WhyNot.TAKES_NO_PART),
        (6, WhyNot.UNKNOWN_ACCOUNT),
        (7, WhyNot.NAMED_TWICE),
    ]
    assert [(one.account_id, one.territory_id) for one in found.right] == [(IDS[0], there)]
