"""Drawing in a process of its own: Matplotlib holds Python's lock for seconds, and the memory is given back."""

import asyncio
import multiprocessing
import os
import time
import traceback
from multiprocessing.connection import Connection

from services.assignment.design.exports.design_map import DesignMap, Wanted
from services.assignment.design.exports.refusals import MapNotDrawn
from shared.runtime.logging import get_logger
from shared.runtime.own_process import end_with_parent

# A fork would take the event loop's connections along.
_SPAWN = multiprocessing.get_context("spawn")
# Far more than the largest map takes on a busy machine; a turn must not be held for ever.
LONGEST_SECONDS = 300.0
_BEHIND_OTHERS = 10

log = get_logger(__name__)


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


async def warm_up(stopping: asyncio.Event) -> None:
    """Have all that maps need compiled for this machine and kept on disk, in the background: nobody's first map waits.

    A process of its own takes what time others leave over, and is ended if the api is told to stop. Where it fails the
    first map compiles for itself, which the log tells.
    """
    process, begun = _SPAWN.Process(target=_warm_up, daemon=True, name="design map"), time.monotonic()
    await asyncio.to_thread(process.start)
    ended = asyncio.create_task(asyncio.to_thread(process.join))
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if stopping.is_set():
        process.kill()
    await ended
    if process.exitcode == 0:
        log.info("maps ready", seconds=round(time.monotonic() - begun, 1))
    elif not stopping.is_set():
        log.warning("maps not ready, the first one compiles", exit_code=process.exitcode)


def _warm_up() -> None:
    end_with_parent()
    os.nice(_BEHIND_OTHERS)
    from services.assignment.design.exports.warming import draw_each  # noqa: PLC0415

    draw_each()


def _answer(connection: Connection) -> None:
    end_with_parent()
    design_map, wanted = connection.recv()
    # Seconds and a hundred megabytes that only this process has a use for.
    from services.assignment.design.exports.drawing import draw  # noqa: PLC0415

    try:
        connection.send(draw(design_map, wanted))
    except Exception:  # noqa: BLE001 - whatever it is, who waits has to be told
        connection.send(traceback.format_exc())
