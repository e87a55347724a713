"""Shapes over HTTP: put as a whole, listed, taken out."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.assignment.shapes import queries
from services.assignment.shapes.commands import DeleteShapes, PutShapes, delete_shapes, put_shapes
from services.assignment.shapes.own_process import shapes_read
from services.assignment.shapes.refusals import InvalidShapes
from services.assignment.shapes.schemas import SHAPES_BODY, ShapeSetsView, ShapeSetView
from services.assignment.shapes.shape import Shape, ShapeLevel, WrongShapesError
from services.assignment.shapes.turns import ShapeTurns
from shared.http.commands import RunCommand, Snapshot
from shared.http.problems import describe
from shared.http.security import Planner, Reader

SHAPES_PATH = "/v1/shapes/{level}"
# What a process reads of it takes some 400 MB.
MOST_BYTES = 16 * 1_048_576

router = APIRouter(tags=["shapes"])


@router.get("/v1/shapes")
async def list_shape_sets(by: Reader, read: Snapshot) -> ShapeSetsView:
    """List of what there are shapes, and since when."""
    return ShapeSetsView(items=[ShapeSetView.of(one, by) for one in await queries.list_shape_sets(read)])


@router.put(SHAPES_PATH, response_model=ShapeSetView, openapi_extra=SHAPES_BODY, responses=describe(503))
async def put_shape_set(
    by: Planner,
    run: RunCommand,
    request: Request,
    turns: ShapeTurns,
    level: ShapeLevel,
    key: Annotated[
        str,
        Query(
            min_length=1,
            max_length=100,
            description="The property that names a feature's postal code or county.",
        ),
    ],
) -> Response:
    """Put the shapes of all postal codes, or counties, in place of those there were: a FeatureCollection of polygons.

    Keys are texts as accounts have them ("01841", "25009"); features of one key make one shape, and outlines that
    cross themselves are mended. Where anything else is wrong nothing is taken. At most 16 MiB and a million corners:
    simplify what has more.
    """
    # Whoever sends slowly holds no turn.
    body = await request.body()
    async with turns.take():
        shapes = await _read(body, key)
    return await run.run(
        put_shapes, PutShapes(level, key, shapes), by=by, show=lambda found: ShapeSetView.of(found, by)
    )


@router.delete(SHAPES_PATH, status_code=204, response_class=Response)
async def delete_shape_set(by: Planner, run: RunCommand, level: ShapeLevel) -> Response:
    """Take the shapes of postal codes, or of counties, out."""
    return await run.run(delete_shapes, DeleteShapes(level), by=by, show=lambda _: None, status=204)


async def _read(body: bytes, key: str) -> list[Shape]:
    """Return the shapes of a body. Raises InvalidShapes."""
    try:
        return await shapes_read(body, key)
    except WrongShapesError as error:
        pointer, detail = error.problems[0]
        raise InvalidShapes(
            f"{pointer or 'body'}: {detail}; nothing was taken.",
            errors=[{"pointer": pointer, "detail": detail} for pointer, detail in error.problems],
        ) from None
