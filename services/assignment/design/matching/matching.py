"""The matching of reps to territories that costs least: relocation and lost relationships, weighed against each other. Pure.

An assignment problem, solved exactly (Kuhn 1955; scipy's is Crouse, On implementing 2D rectangular assignment algorithms,
IEEE Transactions on Aerospace and Electronic Systems 52 (4), 2016).
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from services.assignment.design.engine.arrays import Flags, Floats, Integers
from services.assignment.design.engine.geography import great_circle_km
from services.assignment.design.matching.question import Matching, Pair, Place, Question, Seat, Sum

# Of two matchings that cost the same, the one that changes less.
_FOR_STAYING = 1e-12
_ALIKE = 1e-9


def match_reps(question: Question) -> Matching:
    """Return the matching of least cost.

    A rep takes a territory of the same capacity, and one whose rep of today brings nothing required that they do not.
    Each part of the cost is told in its average over all pairs that may be and are known: so the two can be weighed
    against each other, whatever they are told in. What is not known (homes, middles) counts nothing.
    """
    seats = question.seats
    km, kept = _distances(seats), _kept(question)
    bound = kept_total(question)
    may = _permitted(seats)
    lost = bound[None, :] - kept
    weight = question.relocation_weight
    cost = weight * _shares(km, may) + (1 - weight) * _shares(lost, may)
    wanted = np.where(may, cost, np.inf)
    wanted[np.diag_indices(len(seats))] -= _FOR_STAYING
    chosen, territory = linear_sum_assignment(wanted)
    seat_of = np.empty(len(seats), np.int64)
    seat_of[territory] = chosen
    named = np.arange(len(seats))
    return Matching(
        named=_pairs(named, km, kept, lost),
        best=_pairs(seat_of, km, kept, lost),
        named_sum=_sum(named, km, kept, lost, cost),
        best_sum=_sum(seat_of, km, kept, lost, cost),
    )


def kept_total(question: Question) -> Floats:
    """Return what all reps together have today of each territory, shape (K,)."""
    numbers = np.array([bond.territory for bond in question.bonds], dtype=np.int64)
    amounts = np.array([bond.amount for bond in question.bonds], dtype=np.float64)
    return np.asarray(np.bincount(numbers, amounts, len(question.seats)), dtype=np.float64)


def _kept(question: Question) -> Floats:
    """Return what the rep of each seat has today of each territory, shape (K, K)."""
    kept = np.zeros((len(question.seats), len(question.seats)))
    of_rep: dict[object, list[int]] = {}
    for number, seat in enumerate(question.seats):
        if seat.rep_id is not None:
            of_rep.setdefault(seat.rep_id, []).append(number)
    for bond in question.bonds:
        # Who covers several territories keeps an account in whichever of them it comes to.
        for number in of_rep.get(bond.rep_id, ()):
            kept[number, bond.territory] += bond.amount
    return kept


def _distances(seats: tuple[Seat, ...]) -> Floats:
    """Return km from each seat's home to each territory's middle, shape (K, K), nan where one is not known."""
    homes, middles = _places([seat.home for seat in seats]), _places([seat.middle for seat in seats])
    return great_circle_km(homes[:, :1], homes[:, 1:], middles[:, 0], middles[:, 1])


def _places(known: list[Place | None]) -> Floats:
    return np.array([place or (np.nan, np.nan) for place in known], dtype=np.float64).reshape(-1, 2)


def _permitted(seats: tuple[Seat, ...]) -> Flags:
    """Return which seat's rep may take which territory, shape (K, K)."""
    capacity = np.array([seat.capacity for seat in seats])
    may = np.abs(capacity[:, None] - capacity) <= _ALIKE * capacity
    # Equal offers are looked at once: thousands of reps have few different ones.
    numbers: dict[tuple[frozenset[str], ...], int] = {}
    of = np.array([numbers.setdefault(seat.brings, len(numbers)) for seat in seats])
    offers = list(numbers)
    instead = np.array([[_instead(mine, theirs) for theirs in offers] for mine in offers], dtype=np.bool_)
    may &= instead[np.ix_(of, of)]
    may[np.diag_indices(len(seats))] = True
    return np.asarray(may, dtype=np.bool_)


def _instead(mine: tuple[frozenset[str], ...], theirs: tuple[frozenset[str], ...]) -> bool:
    """Tell whether one offer meets all that another does; silence is no misfit."""
    return all(not one or (other and one >= other) for one, other in zip(mine, theirs, strict=True))


def _shares(amounts: Floats, may: Flags) -> Floats:
    """Return amounts by their mean over pairs that may be and are known, and by K; 0 where one is not known."""
    known = ~np.isnan(amounts)
    counted = amounts[may & known]
    mean = float(counted.mean()) if counted.size else 0.0
    return np.where(known, amounts / (mean * len(amounts)), 0.0) if mean > 0.0 else np.zeros_like(amounts)


def _pairs(seat_of: Integers, km: Floats, kept: Floats, lost: Floats) -> tuple[Pair, ...]:
    return tuple(
        Pair(
            seat=int(seat),
            km=None if np.isnan(km[seat, territory]) else float(km[seat, territory]),
            kept=float(kept[seat, territory]),
            lost=float(lost[seat, territory]),
        )
        for territory, seat in enumerate(seat_of)
    )


def _sum(seat_of: Integers, km: Floats, kept: Floats, lost: Floats, cost: Floats) -> Sum:
    at = (seat_of, np.arange(len(seat_of)))
    return Sum(
        km=float(np.nansum(km[at])),
        kept=float(kept[at].sum()),
        lost=float(lost[at].sum()),
        cost=float(cost[at].sum()),
    )
