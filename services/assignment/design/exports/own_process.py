"""Drawing in a process of its own: Matplotlib holds Python's lock for seconds, and the memory is given back."""

import asyncio
import multiprocessing
import traceback
from multiprocessing.connection import Connection

from services.assignment.design.exports.design_map import DesignMap, Wanted
from services.assignment.design.exports.refusals import MapNotDrawn
from shared.runtime.own_process import end_with_parent

# A fork would take the event loop's connections along.
_SPAWN = multiprocessing.get_context("spawn")
# Far more than the largest map takes on a busy machine; a turn must not be held for ever.
LONGEST_SECONDS = 300.0


class DrawingFailedError(RuntimeError):
    """Drawing has a fault; the message is its trace, for the log."""


async def drawn(design_map: DesignMap, wanted: Wanted) -> bytes:
    """Have a map drawn by a process that ends with this call, cancelled or not. Raises MapNotDrawn, DrawingFailedError."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_answer, args=(theirs,), daemon=True, name="design map")
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await asyncio.to_thread(process.start)
            theirs.close()
            await asyncio.to_thread(ours.send, (design_map, wanted))
            answer: bytes | str = await asyncio.to_thread(ours.recv)
    except TimeoutError:
        raise MapNotDrawn(f"The map was not drawn within {LONGEST_SECONDS:.0f} seconds.") from None
    except (EOFError, OSError):
        raise MapNotDrawn("Drawing ended without a map; for want of memory, perhaps. Try again.") from None
    finally:
        # What still waits for it in a thread is told so by this.
        if process.pid is not None:
            process.kill()
            await asyncio.to_thread(process.join)
        theirs.close()
    if isinstance(answer, str):
        raise DrawingFailedError(answer)
    return answer


def _answer(connection: Connection) -> None:
    end_with_parent()
    design_map, wanted = connection.recv()
    # Seconds and a hundred megabytes that only this process has a use for.
    from services.assignment.design.exports.drawing import draw  # noqa: PLC0415

    try:
        connection.send(draw(design_map, wanted))
    except Exception:  # noqa: BLE001 - whatever it is, who waits has to be told
        connection.send(traceback.format_exc())
