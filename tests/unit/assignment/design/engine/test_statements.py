"""What a proposal says about itself beyond its figures: reasons, what binds, what has to move, the hash."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings

from services.assignment.design.engine.contiguity import Adjacency
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import SOLVER_VERSION, Reason
from services.assignment.design.engine.reporting import input_hash
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine import recheck
from tests.unit.assignment.design.engine.problems import plain, problems

QUICK = Effort(starts=1, rounds=4)


@settings(max_examples=10, phases=[Phase.generate])
@given(problems(most_units=40))
def test_every_unit_has_the_first_reason_that_holds(problem):
    found = propose(problem, QUICK)
    middle = found.centres
    apart = ((problem.xy[:, None] - middle) ** 2).sum(axis=2)
    if problem.permitted is not None:
        apart[~problem.permitted[problem.kinds]] = np.inf
    own = ((problem.xy - middle[found.labels]) ** 2).sum(axis=1)
    nearest = own <= np.nanmin(apart, axis=1) * (1 + 1e-6) + 1e-12
    fixed = np.zeros(problem.units, bool) if problem.fixed is None else problem.fixed >= 0
    assert ((found.reasons == Reason.FIXED) == fixed).all()
    assert ((found.reasons == Reason.NEAREST) == (nearest & ~fixed)).all()
    if problem.stay > 0 or problem.most_moved < 1:
        stays = found.labels == problem.incumbents
        assert ((found.reasons == Reason.STAYS) == (stays & ~nearest & ~fixed)).all()
    else:
        assert not (found.reasons == Reason.STAYS).any()


def test_what_is_not_nearest_is_so_for_balances_sake_where_units_are_small():
    found = propose(plain(3_000, 8, 3, whole=False, targets=np.linspace(1, 3, 8)[:, None], tolerance=0.04))
    far = found.reasons[found.reasons != Reason.NEAREST]
    assert len(far) > 100
    assert (far == Reason.BALANCE).mean() > 0.9


def test_nothing_binds_where_the_tolerance_leaves_all_room():
    assert propose(plain(tolerance=5.0)).binding == ()


def test_what_binds_is_at_its_limit():
    """A price without a full or a short territory would send people to loosen what costs nothing."""
    problem = plain(3_000, 8, 3, whole=False, targets=np.linspace(1, 3, 8)[:, None], tolerance=0.04)
    found = propose(problem)
    assert found.binding
    prices = [binding.price for binding in found.binding]
    assert prices == sorted(prices, reverse=True)
    off = found.loads / recheck.targets(problem) - 1
    for binding in found.binding[:4]:
        sign = 1 if binding.side == "high" else -1
        assert sign * off[binding.territory, binding.measure] == pytest.approx(0.04, abs=0.008)


def halves(first: int) -> dict[str, Any]:
    """Return the fields of a problem where today's first territory of two has so many of 100 equal units."""
    owner = (np.arange(100) >= first).astype(np.int32)
    return {"measures": np.ones((100, 1)), "incumbents": owner}


@pytest.mark.parametrize(
    ("first", "tolerance", "least"),
    [(50, 0.0, 0.0), (60, 0.0, 0.1), (70, 0.2, 0.1), (40, 0.1, 0.05), (55, 0.1, 0.0)],
)
def test_what_has_to_move_at_least_is_what_is_too_much(first, tolerance, least):
    found = propose(plain(100, 2, tolerance=tolerance, **halves(first)))
    assert found.least_moved == pytest.approx([least], abs=1e-9)


def test_who_belongs_to_nobody_fills_what_is_short_before_anything_moves():
    fields = halves(50)
    fields["incumbents"][:20] = -1
    assert propose(plain(100, 2, tolerance=0.0, **fields)).least_moved == pytest.approx([0.0], abs=1e-9)
    fields = halves(70)
    fields["incumbents"][
        :10
    ] = -1  # 60, 30 and 10 of nobody's: ten have to leave the first, all of nobody's help
    assert propose(plain(100, 2, tolerance=0.0, **fields)).least_moved == pytest.approx([0.1], abs=1e-9)


@settings(max_examples=10, phases=[Phase.generate])
@given(problems(most_units=40))
def test_no_plan_within_the_tolerances_moves_less_than_what_has_to_move(problem):
    found = propose(problem, QUICK)
    if problem.incumbents is None:
        assert not found.least_moved.any()
        return
    if (recheck.deviation(problem, found.labels) > problem.tolerance).any():
        return
    known = problem.incumbents >= 0
    gone = known & (problem.incumbents != found.labels)
    share = problem.measures[gone].sum(axis=0) / problem.measures.sum(axis=0)
    assert (found.least_moved <= share + 1e-9).all()


def test_deviation_is_from_the_targets_as_they_share_out_what_there_is():
    """Targets of 3, 1 and 1 of 500 in all are 300, 100 and 100, whatever unit they are in."""
    problem = plain(
        500, 3, measures=np.ones((500, 1)), targets=np.array([[3e6], [1e6], [1e6]]), tolerance=0.05
    )
    found = propose(problem)
    assert found.feasible
    np.testing.assert_allclose(found.loads[:, 0], [300, 100, 100], rtol=0.05)
    assert found.deviation == pytest.approx(np.abs(found.loads[:, 0] / [300, 100, 100] - 1).max())


FULL: dict[str, Any] = {
    "xy": plain(40, 4).xy,
    "weight": np.ones(40),
    "measures": np.ones((40, 1)),
    "targets": np.ones((4, 1)),
    "tolerance": np.array([0.2]),
    "adjacency": neighbours(plain(40, 4).xy),
    "soft": np.array([False]),
    "homes": np.full((4, 2), 5.0),
    "pull": 0.5,
    "incumbents": np.zeros(40, np.int32),
    "move_value": np.ones(40),
    "stay": 0.5,
    "most_moved": 0.5,
    "fixed": np.full(40, -1, np.int32),
    "kinds": np.zeros(40, np.int32),
    "permitted": np.ones((2, 4), bool),
    "least_units": np.ones(4),
    "most_units": np.full(4, 40.0),
    "counts": np.ones(40),
}


def hashed(effort: Effort | None = None, **fields: Any) -> str:
    return input_hash(Problem(**(FULL | fields)), effort or Effort())


def changed(name: str) -> Any:
    """Return the value of a field with one thing in it changed a little."""
    value = FULL[name]
    if isinstance(value, Adjacency):
        return Adjacency(value.starts, np.roll(value.targets, 1))
    if isinstance(value, float):
        return np.nextafter(value, 1.0)
    other = value.copy()
    last = other.reshape(-1)[-1]
    other.reshape(-1)[-1] = (
        ~last if other.dtype == bool else last + 1 if other.dtype.kind == "i" else np.nextafter(last, 99)
    )
    return other


def test_every_field_counts_for_the_hash():
    assert set(FULL) == set(Problem.__dataclass_fields__)
    several = {name: hashed(**{name: changed(name)}) for name in FULL}
    missing = {
        name: hashed(**{name: None}) for name in FULL if Problem.__dataclass_fields__[name].default is None
    }
    efforts = [hashed(Effort(starts=5)), hashed(Effort(rounds=17)), hashed(Effort(seed=1))]
    all_of_them = [hashed(), *several.values(), *missing.values(), *efforts]
    assert len(set(all_of_them)) == len(all_of_them)


def test_the_same_numbers_have_the_same_hash_however_they_are_kept():
    first = hashed()
    assert len(first) == 64
    other = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in FULL.items()}
    assert hashed(**other) == first
    assert hashed(measures=np.asfortranarray(FULL["measures"])) == first
    assert hashed(xy=np.hstack([FULL["xy"], FULL["xy"]])[:, :2]) == first
    assert hashed(incumbents=FULL["incumbents"].astype(np.int64), pull=np.float64(0.5)) == first
    assert hashed(Effort(starts=np.int64(4))) == first


def test_a_proposal_names_its_solver_its_seed_and_what_it_is_of():
    problem = plain(40, 4)
    found = propose(problem, replace(QUICK, seed=7))
    assert found.solver_version == SOLVER_VERSION
    assert found.seed == 7
    assert found.input_hash == input_hash(problem, replace(QUICK, seed=7))
