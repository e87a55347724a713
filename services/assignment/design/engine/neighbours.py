"""Which units touch, when all that is known of them is where they are.

A Delaunay triangulation joins what is near, and across bays and deserts what is not. Links that lead nearly through a
third point are left out: along the outside of every coast there are some. A link is cut if it is much longer
than what is usual around both its ends: than FAR times the median of an end's Gabriel links (those with nothing in the
circle they are the diameter of). Where this leaves parts, each is joined again with every part it faces, by their
shortest Gabriel link: two banks of a bay are one part by land and get none, an island gets its ferry, and towns in a
desert stay a net, not a tree. Lengths are thus judged locally, as in AUTOCLUST (Estivill-Castro and Lee 2002), and all
hangs together, as Gabriel links hold a shortest spanning tree (Gabriel and Sokal 1969; Toussaint 1980).

Measured against the shared borders of 3,108 US counties, FAR from 2 to 3 finds 90.8 to 91.2 % of them (all of Delaunay's
links 91.2 %), and the longest link falls from 4,045 km to 326-431 km.
"""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.engine.barriers import Barriers, crossing
from services.assignment.design.engine.linking import (
    adjacency_of,
    bridges,
    joining,
    links_of,
    triangle_links,
    usual_lengths,
)
from services.assignment.design.engine.places import Places, places_of
from services.assignment.design.engine.problem import WrongProblemError
from services.assignment.design.engine.triangulation import triangulate

# A link whose ends a third point sees 170 degrees apart leads through that point.
_THROUGH = float(np.cos(np.radians(170)))

FAR = 2.5
"""A link so many times longer than what is usual around both its ends is cut."""


def neighbours(xy: Floats, *, barriers: Barriers | None = None, islands_km: float | None = None) -> Adjacency:
    """Return which of the points, shape (n, 2) in km, touch.

    Units at one place touch its first one, which touches the places around, and the next one there; each but the first
    touches one of the places around besides, in turn. So a place can be shared out among territories, at three links a unit. Nothing crosses a barrier; what
    barriers part wholly stays apart. islands_km: links longer than that are cut, and what this parts stays apart
    (islands); None joins everything.
    Raise WrongProblemError for places that are no numbers.
    """
    _check(xy)
    places = places_of(xy)
    links, between = _candidates(xy, places)
    allowed = ~crossing(links, xy, barriers)
    links = _kept(links[allowed], between[allowed], xy, places, islands_km)
    more = places.outward(links)
    if barriers is not None:
        more = more[~crossing(more, xy, Barriers(pairs=barriers.pairs))]
    return adjacency_of(np.concatenate([links, more]), len(xy))


def joined(adjacency: Adjacency, xy: Floats, *, barriers: Barriers | None = None) -> Adjacency:
    """Return an adjacency (of shapes, say) with its parts joined by the shortest links between points, shape (n, 2).

    Raise WrongProblemError for places that are no numbers.
    """
    _check(xy)
    links, _ = _candidates(xy, places_of(xy))
    links = links[~crossing(links, xy, barriers)]
    known = links_of(adjacency)
    more = joining(links, _lengths(links, xy), known, len(xy))
    return adjacency_of(np.concatenate([known, links[more]]), len(xy))


def _check(xy: Floats) -> None:
    if not np.isfinite(xy).all():
        raise WrongProblemError("xy", "A place has to be two numbers.")


def _kept(links: Labels, between: Flags, xy: Floats, places: Places, islands_km: float | None) -> Labels:
    """Cut what is long, and what crosses the sea; join what fell apart."""
    units = len(xy)
    length = _lengths(links, xy)
    inside = places.of[links[:, 0]] == places.of[links[:, 1]]
    usual = usual_lengths(links, length, ~between & ~inside, units)
    kept = inside | (length <= FAR * np.maximum(usual[links[:, 0]], usual[links[:, 1]]))
    facing = np.flatnonzero(~kept & ~between)
    kept[facing[bridges(links[facing], length[facing], links[kept], units)]] = True
    if islands_km is not None:
        apart: Labels = links[kept & (length <= islands_km)]
        return apart
    more = joining(links[~kept], length[~kept], links[kept], units)
    return np.concatenate([links[kept], links[~kept][more]])


def _lengths(links: Labels, xy: Floats) -> Floats:
    away = xy[links[:, 0]] - xy[links[:, 1]]
    return np.asarray(np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2), dtype=np.float64)


def _candidates(xy: Floats, places: Places) -> tuple[Labels, Flags]:
    """Return the links worth a thought, shape (E, 2), each once, and whether something lies between their ends."""
    found = triangulate(places.grid)
    if len(found.corners):
        links, sight = triangle_links(found.corners, found.beyond, xy[places.first])
        clear = sight > _THROUGH
        # Four corners of a square see one another at a right angle, but for the last digits.
        links, between = links[clear], sight[clear] < -1e-9
    else:
        links = _along_a_line(xy[places.first])
        between = np.zeros(len(links), np.bool_)
    # Both, so that whoever has not the first unit of a place can hold others there in one piece.
    inside = np.concatenate([places.star(), places.chain()])
    links = np.concatenate([places.first[links].astype(np.int32), inside])
    return links, np.concatenate([between, np.zeros(len(inside), np.bool_)])


def _along_a_line(xy: Floats) -> Labels:
    """Return links from each point to the next one on the line they are all on."""
    if len(xy) < 2:
        return np.empty((0, 2), np.int32)
    away = xy - xy.mean(axis=0)
    _, axes = np.linalg.eigh(away.T @ away)
    order = np.argsort(away @ axes[:, 1], kind="stable").astype(np.int32)
    return np.column_stack([order[:-1], order[1:]])
