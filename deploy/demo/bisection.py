"""Cuts a map of weighted points into compact parts of equal weight, by halving it again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, pi, sin

_ANGLES = tuple(step * pi / 12 for step in range(12))


@dataclass(frozen=True, slots=True)
class Atom:
    """What a cut never goes through: a county, or a postal code of a big one."""

    name: str
    weight: float
    x: float
    y: float


def bisect_map(atoms: Sequence[Atom], parts: int) -> list[list[Atom]]:
    """Cut the atoms into `parts` groups of about equal weight."""
    if parts == 1:
        return [list(atoms)]
    first = parts // 2
    left, right = _best_cut(atoms, first / parts)
    return [*bisect_map(left, first), *bisect_map(right, parts - first)]


def _best_cut(atoms: Sequence[Atom], share: float) -> tuple[list[Atom], list[Atom]]:
    cuts = [_cut_along(atoms, angle, share) for angle in _ANGLES]
    # Rounded, so that the last bits of a platform's sine never decide between two equal cuts.
    return min(cuts, key=lambda cut: round(_spread(cut[0]) + _spread(cut[1]), 6))


def _cut_along(atoms: Sequence[Atom], angle: float, share: float) -> tuple[list[Atom], list[Atom]]:
    across, up = cos(angle), sin(angle)
    row = sorted(atoms, key=lambda atom: (round(atom.x * across + atom.y * up, 9), atom.name))
    weights = list(accumulate(atom.weight for atom in row))
    wanted = weights[-1] * share
    at = min(range(1, len(row)), key=lambda count: abs(weights[count - 1] - wanted))
    return row[:at], row[at:]


def _spread(atoms: Sequence[Atom]) -> float:
    """Return the weighted second moment about the centre: small when a part is compact."""
    weight = sum(atom.weight for atom in atoms)
    x = sum(atom.weight * atom.x for atom in atoms) / weight
    y = sum(atom.weight * atom.y for atom in atoms) / weight
    return sum(atom.weight * ((atom.x - x) ** 2 + (atom.y - y) ** 2) for atom in atoms)
