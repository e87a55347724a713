"""Reading shapes in a process of its own: JSON holds Python's lock for a second, and the memory is given back."""

from services.assignment.shapes.refusals import ShapesNotRead
from services.assignment.shapes.shape import Shape, WrongShapesError, read_shapes
from shared.runtime.own_process import EndedEarly, TookTooLong, in_own_process

# Far more than the largest document takes on a busy machine; a turn must not be held for ever.
LONGEST_SECONDS = 120.0

Problems = list[tuple[str, str]]


async def shapes_read(body: bytes, key_property: str) -> list[Shape]:
    """Have a document read by a process that ends with this call, cancelled or not.

    Raises WrongShapesError, ShapesNotRead, FaultInOwnProcess.
    """
    try:
        shapes, problems = await in_own_process(
            _read, (body, key_property), name="shapes", seconds=LONGEST_SECONDS
        )
    except TookTooLong:
        raise ShapesNotRead(f"The shapes were not read within {LONGEST_SECONDS:.0f} seconds.") from None
    except EndedEarly:
        raise ShapesNotRead("Reading ended without shapes; for want of memory, perhaps. Try again.") from None
    if problems:
        raise WrongShapesError(problems)
    return shapes


def _read(document: tuple[bytes, str]) -> tuple[list[Shape], Problems]:
    try:
        return read_shapes(*document), []
    except WrongShapesError as error:
        return [], error.problems
