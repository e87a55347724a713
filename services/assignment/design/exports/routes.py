"""Maps of proposals over HTTP: drawn on each request by a process of their own; nothing is stored."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from services.assignment.design.exports import queries
from services.assignment.design.exports.accepting import form_accepted
from services.assignment.design.exports.design_map import DesignMap, Wanted, When
from services.assignment.design.exports.own_process import drawn
from services.assignment.design.exports.shaped import ShapePlaces, place_shapes, read_shapes
from services.assignment.design.exports.turns import MapTurns, Turns
from services.assignment.design.maps.form import Form
from services.assignment.design.proposals.queries import find_proposing
from services.assignment.design.runs.routes import WholeReader
from services.assignment.shapes.shape import ShapeLevel
from shared.db.engine import begin_snapshot
from shared.http.commands import get_parts
from shared.http.etags import IfNoneMatch, is_unchanged
from shared.http.problems import describe

router = APIRouter(prefix="/v1/design-runs/{run_id}/proposal", tags=["design"])

GEOJSON = "application/geo+json"
MEDIA_TYPES = {Form.PNG: "image/png", Form.SVG: "image/svg+xml"}
# Raise it with every change of how maps are drawn: what callers keep is another map then.
_DRAWN_AS = 1

_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "You have it: the ETag is the same."}}
_BOUNDARIES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "A FeatureCollection (RFC 7946) with a feature per territory: `territory_id`, `name`, `accounts`, `loads` and "
            "`deviation` (load / target - 1) by the measure's name; no geometry where it has no account. "
            "`accounts_without_territory` counts those that belonged to none of them; with `shapes`, "
            "`accounts_in_shapes_of_others` those that lie in a shape that went to another territory."
        ),
        "content": {GEOJSON: {"schema": {"type": "object"}}},
    }
}
_MAP: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture.",
        "content": {
            MEDIA_TYPES[Form.PNG]: {"schema": {"type": "string", "format": "binary"}},
            MEDIA_TYPES[Form.SVG]: {"schema": {"type": "string"}},
        },
    }
}


@router.get(
    "/boundaries",
    response_class=Response,
    responses={**_BOUNDARIES, **_UNCHANGED, **describe(409, 503)},
)
async def get_proposal_boundaries(
    _: WholeReader,
    request: Request,
    turns: MapTurns,
    run_id: UUID,
    when: Annotated[
        When, Query(description="Territories of the day the run was made, or as proposed.")
    ] = When.AFTER,
    shapes: Annotated[
        ShapeLevel | None,
        Query(description="Made of these real shapes, each the territory's with most of its accounts."),
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return territories' boundaries as GeoJSON: the land nearer to their accounts than to those of others.

    With `shapes` they are unions of the postal codes or counties that somebody has put (`/v1/shapes`): every account of
    the run has to have one, and those without an account are no territory's.
    """
    places = None if shapes is None else await _place(request, run_id, when, shapes)
    return await _answer(request, turns, run_id, when, GEOJSON, if_none_match, places)


@router.get("/map", response_class=Response, responses={**_MAP, **_UNCHANGED, **describe(409, 503)})
async def get_proposal_map(
    _: WholeReader,
    request: Request,
    turns: MapTurns,
    run_id: UUID,
    form: Annotated[
        Form | None, Query(alias="format", description="When left out, as Accept says; else PNG.")
    ] = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return a picture of the territories before and after, side by side, with the accounts that would move."""
    chosen = form or form_accepted(accept)
    return await _answer(request, turns, run_id, chosen, MEDIA_TYPES[chosen], if_none_match)


async def _answer(
    request: Request,
    turns: Turns,
    run_id: UUID,
    wanted: Wanted,
    media_type: str,
    if_none_match: str | None,
    places: ShapePlaces | None = None,
) -> Response:
    async with get_parts(request).engine.connect() as read:
        await begin_snapshot(read)
        tag = _tag(await queries.find_drawn_version(read, run_id), wanted, places)
    if is_unchanged(if_none_match, tag):
        return Response(status_code=304, headers=_headers(tag))
    # Whoever waits for a turn, or for a map, holds no connection.
    async with turns.take():
        design_map, version = await _read(request, run_id, places)
        content = await drawn(design_map, wanted)
    return Response(content, headers=_headers(_tag(version, wanted, places)), media_type=media_type)


def _tag(version: str, wanted: Wanted, places: ShapePlaces | None) -> str:
    made_of = "" if places is None else f"-{places.digest}"
    return f'"{version}-{wanted}{made_of}-{_DRAWN_AS}"'


def _headers(tag: str) -> dict[str, str]:
    # Kept by whoever asked and by nobody between, and asked for again each time: rights may have changed.
    return {"etag": tag, "cache-control": "private, no-cache", "vary": "Accept"}


async def _place(request: Request, run_id: UUID, when: When, level: ShapeLevel) -> ShapePlaces:
    async with get_parts(request).engine.connect() as read:
        await begin_snapshot(read)
        await find_proposing(read, run_id)
        return await place_shapes(read, run_id, when, level)


async def _read(request: Request, run_id: UUID, places: ShapePlaces | None) -> tuple[DesignMap, str]:
    """Return what to draw, and which version that is: the proposal may have been edited while this waited for its turn."""
    async with get_parts(request).engine.connect() as read:
        await begin_snapshot(read)
        found = await queries.read_design_map(read, run_id)
        drawn_version = await queries.find_drawn_version(read, run_id)
        if places is not None:
            found = replace(found, shapes=await read_shapes(read, places))
        return found, drawn_version
