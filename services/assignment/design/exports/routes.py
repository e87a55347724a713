"""Maps of proposals over HTTP: drawn on each request by a process of their own; nothing is stored."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from services.assignment.design.exports import queries
from services.assignment.design.exports.accepting import form_accepted
from services.assignment.design.exports.design_map import DesignMap, Wanted, When
from services.assignment.design.exports.own_process import drawn
from services.assignment.design.exports.shaped import MadeOf, ShapePlaces, place_shapes, read_shapes
from services.assignment.design.exports.turns import MapTurns
from services.assignment.design.maps.form import Form
from services.assignment.design.runs.routes import WholeReader
from services.assignment.shapes.queries import find_shape_set
from services.assignment.shapes.shape import ShapeLevel
from shared.db.engine import begin_snapshot
from shared.http.commands import get_parts
from shared.http.etags import IfNoneMatch, is_unchanged
from shared.http.problems import describe
from shared.http.turns import Turns

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
    made_of = None if shapes is None else MadeOf(when, shapes)
    return await _answer(request, turns, run_id, when, GEOJSON, if_none_match, made_of)


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
    made_of: MadeOf | None = None,
) -> Response:
    async with get_parts(request).engine.connect() as read:
        await begin_snapshot(read)
        version = await queries.find_drawn_version(read, run_id)
        if made_of is not None:
            await find_shape_set(read, made_of.level, field="shapes")
    # Which shapes go where is worked out from all accounts: that waits for its turn.
    if made_of is None and is_unchanged(if_none_match, tag := _tag(version, wanted)):
        return Response(status_code=304, headers=_headers(tag))
    # Whoever waits for a turn, or for a map, holds no connection.
    async with turns.take():
        design_map, tag = await _read(request, run_id, wanted, if_none_match, made_of)
        if design_map is None:
            return Response(status_code=304, headers=_headers(tag))
        content = await drawn(design_map, wanted)
    return Response(content, headers=_headers(tag), media_type=media_type)


def _tag(version: str, wanted: Wanted, places: ShapePlaces | None = None) -> str:
    made_of = "" if places is None else f"-{places.digest}"
    return f'"{version}-{wanted}{made_of}-{_DRAWN_AS}"'


def _headers(tag: str) -> dict[str, str]:
    # Kept by whoever asked and by nobody between, and asked for again each time: rights may have changed.
    return {"etag": tag, "cache-control": "private, no-cache", "vary": "Accept"}


async def _read(
    request: Request, run_id: UUID, wanted: Wanted, if_none_match: str | None, made_of: MadeOf | None
) -> tuple[DesignMap | None, str]:
    """Return what to draw, None for who has it, and its tag: all of one snapshot.

    The proposal may have been edited, accounts may have moved house and shapes been replaced while this waited for its turn.
    """
    async with get_parts(request).engine.connect() as read:
        await begin_snapshot(read)
        version = await queries.find_drawn_version(read, run_id)
        places = None if made_of is None else await place_shapes(read, run_id, made_of)
        tag = _tag(version, wanted, places)
        if is_unchanged(if_none_match, tag):
            return None, tag
        found = await queries.read_design_map(read, run_id)
        if places is not None:
            found = replace(found, shapes=await read_shapes(read, places))
        return found, tag
