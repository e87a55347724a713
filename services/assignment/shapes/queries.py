"""Reading which shapes there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.shapes.shape import ShapeLevel
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeSet:
    """The shapes of all postal codes, or counties, that somebody has put; another id with every change of them."""

    shape_set_id: UUID
    level: ShapeLevel
    key_property: str
    shapes: int
    put_at: datetime
    put_by: str


_SELECT = "SELECT shape_set_id, level, key_property, shapes, put_at, put_by FROM shape_sets"
_FIND = text(f"{_SELECT} WHERE level = :level")
_LIST = text(f"{_SELECT} ORDER BY level")
_KNOWN = text("SELECT key FROM shapes WHERE level = :level AND key = ANY (CAST(:keys AS text[]))")
_GEOMETRIES = text("""
SELECT key, CAST(geometry AS text) AS geometry FROM shapes
WHERE level = :level AND key = ANY (CAST(:keys AS text[])) ORDER BY key
""")
# Decoding more rows at once would hold the event loop.
_ROWS_AT_ONCE = 1_000


async def find_shape_set(read: AsyncConnection, level: ShapeLevel, *, field: str = "level") -> ShapeSet:
    """Return the shapes of a level; field: what the caller calls it. Raises NotFound."""
    row = (await read.execute(_FIND, {"level": level.value})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"{field}: there are no shapes by {level}; put them first.")
    return ShapeSet(**{**row, "level": level})


async def list_known_keys(read: AsyncConnection, level: ShapeLevel, keys: Sequence[str]) -> set[str]:
    """Return those of some keys that have a shape."""
    found = await read.execute(_KNOWN, {"level": level.value, "keys": keys})
    return set(found.scalars())


async def read_geometries(read: AsyncConnection, level: ShapeLevel, keys: Sequence[str]) -> dict[str, str]:
    """Return the shapes of some keys, GeoJSON MultiPolygons, by key in its order."""
    result = await read.stream(_GEOMETRIES, {"level": level.value, "keys": keys})
    geometries: dict[str, str] = {}
    async for rows in result.partitions(_ROWS_AT_ONCE):
        geometries |= {row.key: row.geometry for row in rows}
    return geometries


async def list_shape_sets(read: AsyncConnection) -> list[ShapeSet]:
    """Return all shapes there are, level by level."""
    rows = await read.execute(_LIST)
    return [ShapeSet(**{**row, "level": ShapeLevel(row["level"])}) for row in rows.mappings()]
