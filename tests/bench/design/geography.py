"""Points in a plane and who touches whom: the bench's own, so that nothing of the engine measures the engine."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

EARTH_RADIUS_KM = 6371.0088
# Standard parallels and origin that are customary for the lower 48 states.
PARALLELS, ORIGIN = (29.5, 45.5), (37.5, -96.0)


def albers(lat: Floats, lon: Floats) -> Floats:
    """Return points, shape (n, 2), in km: Albers' equal-area conic on the sphere (Snyder 1987, page 100)."""
    first, second = np.deg2rad(PARALLELS)
    lat_0, lon_0 = np.deg2rad(ORIGIN)
    n = (np.sin(first) + np.sin(second)) / 2
    c = np.cos(first) ** 2 + 2 * n * np.sin(first)
    rho = EARTH_RADIUS_KM * np.sqrt(c - 2 * n * np.sin(np.deg2rad(lat))) / n
    rho_0 = EARTH_RADIUS_KM * np.sqrt(c - 2 * n * np.sin(lat_0)) / n
    theta = n * (np.deg2rad(lon) - lon_0)
    return np.column_stack([rho * np.sin(theta), rho_0 - rho * np.cos(theta)])


def link(n: int, pairs: Integers) -> tuple[Integers, Integers]:
    """Return starts (n + 1,) and targets of an adjacency that has each pair, shape (m, 2), both ways."""
    both = np.concatenate([pairs, pairs[:, ::-1]]).astype(np.int64)
    keys = np.unique(both[:, 0] * n + both[:, 1])
    starts = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(keys // n, minlength=n), out=starts[1:])
    return starts, keys % n


def triangulated(xy: Floats) -> Integers:
    """Return the pairs, shape (m, 2), that touch in a Delaunay triangulation."""
    # Several units at one point would be no corners of anything: a decimetre tells them apart.
    jitter = np.random.default_rng(0).normal(0, 1e-4, xy.shape)
    corners = Delaunay(xy + jitter).simplices
    edges = np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]).astype(np.int64)
    edges.sort(axis=1)
    return np.unique(edges, axis=0)


def parts(starts: Integers, targets: Integers, labels: Integers | None = None) -> Integers:
    """Return each unit's connected part, shape (n,), of the whole or of its territory."""
    n = len(starts) - 1
    sources = np.repeat(np.arange(n), np.diff(starts))
    if labels is not None:
        same = labels[sources] == labels[targets]
        sources, targets = sources[same], targets[same]
    graph = csr_array((np.ones(len(targets), np.int8), (sources, targets)), shape=(n, n))
    found: Integers = connected_components(graph, directed=False)[1].astype(np.int64)
    return found
