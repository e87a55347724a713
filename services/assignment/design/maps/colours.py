"""Colours that tell neighbouring territories apart, to the colour-blind too."""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.linking import adjacency_of

# Paul Tol, Colour Schemes (SRON/EPS/TN/09-002), scheme "light": made for areas with black text on them, and told apart
# with all common kinds of colour blindness. The last two are near others and come in when the six do not do.
PALETTE = ("#77AADD", "#EE8866", "#44BB99", "#EEDD88", "#FFAABB", "#BBCC33", "#99DDFF", "#AAAA00")
NOBODY = "#DDDDDD"
_PREFERRED = 6


def colours_of(touching: Integers, territories: int) -> Labels:
    """Return each territory's place in PALETTE, shape (K,): another one than those it touches, shape (E, 2), have.

    The territory with the most colours around it is next (Brelaz 1979), and takes of those left the one used least. Where
    there are more than eight mutual neighbours (two maps at once, far parts of a territory), the fewest clash.
    """
    adjacency: Adjacency = adjacency_of(touching.astype(np.int32), territories)
    return _coloured(adjacency.starts, adjacency.targets, len(PALETTE), _PREFERRED)


@compiled
def _coloured(starts: Integers, targets: Labels, colours: int, preferred: int) -> Labels:
    count = len(starts) - 1
    chosen = np.full(count, -1, np.int32)
    around = np.zeros((count, colours), np.int64)
    used = np.zeros(colours, np.int64)
    for _ in range(count):
        best, most = -1, -1
        for i in range(count):
            if chosen[i] >= 0:
                continue
            # Degree decides among equals; no territory has more neighbours than there are territories.
            weight = (around[i] > 0).sum() * (count + 1) + starts[i + 1] - starts[i]
            if weight > most:
                best, most = i, weight
        pick = 0
        for colour in range(1, colours):
            # Clashes first, then the last resorts, then how often.
            one = (around[best, colour], colour >= preferred, used[colour])
            other = (around[best, pick], pick >= preferred, used[pick])
            if one < other:
                pick = colour
        chosen[best] = pick
        used[pick] += 1
        for e in range(starts[best], starts[best + 1]):
            around[targets[e], pick] += 1
    return chosen
