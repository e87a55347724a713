"""Scoring territories from their units: exactly, and without a look at any other territory. Pure.

Costs are sums of squares about the middle that the units themselves have, so that no error adds up from edit to edit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from services.assignment.design.edits.score import Designed, TerritoryScore
from services.assignment.design.engine.arrays import Flags, Floats, Integers
from services.assignment.design.engine.geography import Plane, great_circle_km, road_weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The n units of some territories, by their numbers in rising order.

    territory (n,): its place among those territories. xy (n, 2): km in the run's plane. weight, move_value (n,);
    road (n,): by what the way to it is longer than the crow's;
    measures (n, A). gained (n,): was not there before; moved (n,): belonged to another; pinned (n,). links (m, 2):
    numbers of units that touch, each pair at least once; of pairs with strangers nothing is made.
    """

    number: Integers
    territory: Integers
    xy: Floats
    weight: Floats
    road: Floats
    measures: Floats
    move_value: Floats
    gained: Flags
    moved: Flags
    pinned: Flags
    links: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a run counts: how much travel starts from the rep's home (0 to 1), whether territories are to be whole."""

    plane: Plane
    pull: float
    contiguous: bool


def score_territories(
    units: Units, designed: Sequence[Designed], lost: Mapping[UUID, int], terms: Terms
) -> list[TerritoryScore]:
    """Return what territories come to; `lost` is how many accounts of today each has given away."""
    parts, broken = _parts(units, len(designed), terms)
    order = np.argsort(units.territory, kind="stable")
    ends = np.searchsorted(units.territory[order], np.arange(len(designed) + 1))
    return [
        _score(
            units,
            order[ends[k] : ends[k + 1]],
            one,
            terms,
            lost=lost[one.territory_id],
            parts=int(parts[k]),
            broken=bool(broken[k]),
        )
        for k, one in enumerate(designed)
    ]


def _score(
    units: Units, mine: Integers, one: Designed, terms: Terms, *, lost: int, parts: int, broken: bool
) -> TerritoryScore:
    weight, road, xy = units.weight[mine], units.road[mine], units.xy[mine]
    # With these, squared lengths in the plane are squared roads, as in the engine.
    pulls = road_weight(weight, road)
    moved = units.moved[mine]
    total = float(weight.sum())
    latitude = longitude = mean_km = None
    cost = 0.0
    if len(mine):
        middle = _middle(pulls, xy, one, terms)
        off = ((xy - middle) ** 2).sum(axis=1)
        cost = float(pulls @ off)
        up, around = terms.plane.to_sphere(middle[None, :])
        latitude, longitude = float(up[0]), float(around[0])
        km = great_circle_km(*terms.plane.to_sphere(xy), up, around, road)
        mean_km = float(weight @ km) / total if total > 0.0 else 0.0
    return TerritoryScore(
        territory_id=one.territory_id,
        accounts=len(mine),
        gained=int(units.gained[mine].sum()),
        lost=lost,
        loads=tuple(units.measures[mine].sum(axis=0).tolist()),
        latitude=latitude,
        longitude=longitude,
        mean_km=mean_km,
        parts=parts,
        broken=broken,
        weight=total,
        cost=cost,
        moved_accounts=int(moved.sum()),
        moved_value=float(units.move_value[mine][moved].sum()),
    )


def _middle(pulls: Floats, xy: Floats, one: Designed, terms: Terms) -> Floats:
    """Return where travel starts, shape (2,): between the middle of the units and the rep's home."""
    parts = pulls if pulls.sum() > 0.0 else np.ones(len(pulls))
    mean = parts @ xy / parts.sum()
    if one.home is None or terms.pull == 0.0:
        return np.asarray(mean)
    latitude, longitude = one.home
    home = terms.plane.to_plane(np.array([latitude]), np.array([longitude]))[0]
    return np.asarray((1 - terms.pull) * mean + terms.pull * home)


def _parts(units: Units, territories: int, terms: Terms) -> tuple[Integers, Flags]:
    """Return in how many parts each territory is, shape (K,), and whether one of them strays: beside the heaviest, and
    without a unit that has to be there.
    """  # noqa: D205 - one sentence
    if not terms.contiguous:
        held = np.bincount(units.territory, minlength=territories)
        return np.minimum(held, 1), np.zeros(territories, np.bool_)
    part = _components(units)
    heads = np.flatnonzero(part == np.arange(len(part)))
    owner = units.territory[heads]
    number = np.searchsorted(heads, part)
    heavy = np.bincount(number, road_weight(units.weight, units.road), len(heads))
    stray = np.bincount(number, units.pinned, len(heads)) == 0
    # The heaviest of each territory, the first of those that weigh the same.
    order = np.lexsort((heads, -heavy, owner))
    _, first = np.unique(owner[order], return_index=True)
    stray[order[first]] = False
    return np.bincount(owner, minlength=territories), np.bincount(owner[stray], minlength=territories) > 0


def _components(units: Units) -> Integers:
    """Return for each unit the place of the first that it hangs together with in its territory, shape (n,)."""
    count = len(units.number)
    root = np.arange(count)
    if not count or not len(units.links):
        return root
    ends = np.minimum(np.searchsorted(units.number, units.links), count - 1)
    known = (units.number[ends] == units.links).all(axis=1)
    a, b = ends[known].T
    inside = units.territory[a] == units.territory[b]
    a, b = a[inside], b[inside]
    # Each root goes under the least that its part touches, until all that touch have one.
    while len(a):
        np.minimum.at(root, np.maximum(root[a], root[b]), np.minimum(root[a], root[b]))
        while (root[root] != root).any():
            root = root[root]
        apart = root[a] != root[b]
        a, b = a[apart], b[apart]
    return root
