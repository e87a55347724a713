"""Reading shapes in a process of its own: JSON holds Python's lock for a second, and the memory is given back."""

import asyncio
import multiprocessing
import traceback
from multiprocessing.connection import Connection

from services.assignment.shapes.refusals import ShapesNotRead
from services.assignment.shapes.shape import Shape, WrongShapesError, read_shapes
from shared.runtime.own_process import end_with_parent

# A fork would take the event loop's connections along.
_SPAWN = multiprocessing.get_context("spawn")
# Far more than the largest document takes on a busy machine; a turn must not be held for ever.
LONGEST_SECONDS = 120.0

Problems = list[tuple[str, str]]


class ReadingFailedError(RuntimeError):
    """Reading has a fault; the message is its trace, for the log."""


async def shapes_read(body: bytes, key_property: str) -> list[Shape]:
    """Have a document read by a process that ends with this call, cancelled or not.

    Raises WrongShapesError, ShapesNotRead, ReadingFailedError.
    """
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_answer, args=(theirs,), daemon=True, name="shapes")
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await asyncio.to_thread(process.start)
            theirs.close()
            await asyncio.to_thread(ours.send, (body, key_property))
            found, problems, fault = await asyncio.to_thread(_received, ours)
    except TimeoutError:
        raise ShapesNotRead(f"The shapes were not read within {LONGEST_SECONDS:.0f} seconds.") from None
    except (EOFError, OSError):
        raise ShapesNotRead("Reading ended without shapes; for want of memory, perhaps. Try again.") from None
    finally:
        # What still waits for it in a thread is told so by this.
        if process.pid is not None:
            process.kill()
            await asyncio.to_thread(process.join)
        theirs.close()
    if fault is not None:
        raise ReadingFailedError(fault)
    if problems:
        raise WrongShapesError(problems)
    return found


def _received(connection: Connection) -> tuple[list[Shape], Problems, str | None]:
    answer: tuple[list[Shape], Problems, str | None] = connection.recv()
    return answer


def _answer(connection: Connection) -> None:
    end_with_parent()
    body, key_property = connection.recv()
    try:
        connection.send((read_shapes(body, key_property), [], None))
    except WrongShapesError as error:
        connection.send(([], error.problems, None))
    except Exception:  # noqa: BLE001 - whatever it is, who waits has to be told
        connection.send(([], [], traceback.format_exc()))
