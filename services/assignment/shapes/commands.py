"""Putting shapes in place of those there were, and taking them out."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from services.assignment.shapes.queries import ShapeSet, find_shape_set
from services.assignment.shapes.shape import Shape, ShapeLevel
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id_at

_AT_ONCE = 5_000

# Two who put shapes of one level at once take turns here.
_PUT = text("""
INSERT INTO shape_sets (level, shape_set_id, key_property, shapes, put_at, put_by)
VALUES (:level, :shape_set_id, :key_property, :shapes, :now, :actor)
ON CONFLICT (level) DO UPDATE SET
    shape_set_id = excluded.shape_set_id, key_property = excluded.key_property, shapes = excluded.shapes,
    put_at = excluded.put_at, put_by = excluded.put_by
""")
_CLEAR = text("DELETE FROM shapes WHERE level = :level")
_STORE = text("""
INSERT INTO shapes (level, key, geometry)
SELECT :level, i.key, CAST(i.geometry AS json)
FROM unnest(CAST(:keys AS text[]), CAST(:geometries AS text[])) AS i (key, geometry)
""")
_DELETE = text("DELETE FROM shape_sets WHERE level = :level")


@dataclass(frozen=True, slots=True)
class PutShapes:
    """Have these shapes of a level, and no others."""

    level: ShapeLevel
    key_property: str
    shapes: Sequence[Shape]


@dataclass(frozen=True, slots=True)
class DeleteShapes:
    """Have no shapes of a level."""

    level: ShapeLevel


async def put_shapes(command: PutShapes, uow: UnitOfWork) -> ShapeSet:
    """Store shapes in place of all that there were of their level."""
    level = command.level.value
    await uow.connection.execute(
        _PUT,
        {
            "level": level,
            "shape_set_id": new_id_at(uow.now),
            "key_property": command.key_property,
            "shapes": len(command.shapes),
            "now": uow.now,
            "actor": uow.actor,
        },
    )
    await uow.connection.execute(_CLEAR, {"level": level})
    for start in range(0, len(command.shapes), _AT_ONCE):
        some = command.shapes[start : start + _AT_ONCE]
        await uow.connection.execute(
            _STORE,
            {
                "level": level,
                "keys": [one.key for one in some],
                "geometries": [one.geometry for one in some],
            },
        )
    return await find_shape_set(uow.connection, command.level)


async def delete_shapes(command: DeleteShapes, uow: UnitOfWork) -> None:
    """Take the shapes of a level out. Raises NotFound."""
    await find_shape_set(uow.connection, command.level)
    await uow.connection.execute(_DELETE, {"level": command.level.value})
