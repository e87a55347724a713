"""From a proposal to a file: boundaries as GeoJSON, a picture before and after. Pure; runs in a process of its own.

Importing it loads compiled kernels and Matplotlib, so only that process does.
"""

import json

import numpy as np
import shapely

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.geography import Plane, projected
from services.assignment.design.exports.design_map import DesignMap, Shapes, Wanted, When
from services.assignment.design.lengths import lengths_km, middles
from services.assignment.design.maps.cells import Cells, cells_of, dissolved
from services.assignment.design.maps.documents import Feature, feature_collection
from services.assignment.design.maps.lettering import share
from services.assignment.design.maps.picture import Picture, Side
from services.assignment.design.maps.rendering import render
from services.assignment.design.maps.sphere import Geometries
from services.assignment.design.maps.unions import united

_HEADINGS = {When.BEFORE: "Before", When.AFTER: "After"}


def draw(drawn: DesignMap, wanted: Wanted) -> bytes:
    """Return a map as a file."""
    if isinstance(wanted, When) and drawn.shapes is not None:
        return _boundaries(drawn, _united(drawn.shapes, len(drawn.names)), wanted)
    xy, plane = projected(drawn.latitude, drawn.longitude)
    cells = cells_of(xy, plane)
    if isinstance(wanted, When):
        return _boundaries(drawn, dissolved(cells, drawn.labels(wanted), len(drawn.names)), wanted)
    aligned = drawn.before >= 0
    moved = aligned & (drawn.before != drawn.after)
    picture = Picture(
        title=drawn.title,
        figures=(
            f"{len(xy):,} accounts",
            f"{len(drawn.names):,} territories",
            f"{moved.sum():,} of {aligned.sum():,} change territory",
        ),
        measure=drawn.measures[0],
        names=drawn.names,
        plane=plane,
        # Where nothing belonged to any of them, there is nothing to see.
        before=_side(drawn, cells, xy, When.BEFORE) if aligned.any() else None,
        after=_side(drawn, cells, xy, When.AFTER),
        moved_latitude=drawn.latitude[moved],
        moved_longitude=drawn.longitude[moved],
    )
    return render(picture, wanted)


def _united(shapes: Shapes, territories: int) -> Geometries:
    """Return what each territory covers of real shapes, shape (K,)."""
    geometries = shapely.from_geojson(np.array(shapes.geometries, dtype=object))
    return united(geometries, np.array(shapes.labels, dtype=np.int32), territories)


def _boundaries(drawn: DesignMap, geometries: Geometries, when: When) -> bytes:
    labels, loads = drawn.labels(when), drawn.loads(when)
    count = len(drawn.names)
    accounts = np.bincount(labels[labels >= 0], minlength=count)
    deviation = loads / drawn.targets - 1
    features = [
        Feature(
            territory_id=str(drawn.territory_ids[k]),
            name=drawn.names[k],
            accounts=int(accounts[k]),
            loads=dict(zip(drawn.measures, loads[k].tolist(), strict=True)),
            deviation=dict(zip(drawn.measures, deviation[k].tolist(), strict=True)),
        )
        for k in range(count)
    ]
    document = feature_collection(features, geometries)
    # Members of our own, which readers of GeoJSON pass over (RFC 7946, 6.1).
    document |= {
        "run_id": str(drawn.run_id),
        "when": when.value,
        "accounts_without_territory": int((labels < 0).sum()),
    }
    if drawn.shapes is not None:
        document["accounts_in_shapes_of_others"] = drawn.shapes.accounts_of_others
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _side(drawn: DesignMap, cells: Cells, xy: Floats, when: When) -> Side:
    labels = drawn.labels(when)
    deviation = (drawn.loads(when) / drawn.targets - 1)[:, 0]
    figures = [
        f"largest deviation {share(float(deviation[np.abs(deviation).argmax()]))}",
        f"mean distance {_mean_km(drawn, labels, xy, cells.plane):,.1f} km",
    ]
    if without := int((labels < 0).sum()):
        figures.append(f"{without:,} accounts without a territory")
    return Side(
        heading=_HEADINGS[when],
        territories=dissolved(cells, labels, len(drawn.names)),
        deviation=deviation,
        figures=tuple(figures),
    )


def _mean_km(drawn: DesignMap, labels: Labels, xy: Floats, plane: Plane) -> float:
    """Return the mean length of accounts with a territory from the middle of it, as the proposal tells it."""
    held = labels >= 0
    road, mine = drawn.road[held], labels[held]
    middle = middles(xy[held], mine, len(drawn.names), plane, road=road)
    return float(lengths_km(drawn.latitude[held], drawn.longitude[held], mine, middle, road).mean())
