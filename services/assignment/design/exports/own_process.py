"""Drawing in a process of its own: Matplotlib holds Python's lock for seconds, and the memory is given back."""

import asyncio
import os
import time

from services.assignment.design.exports.design_map import DesignMap, Wanted
from services.assignment.design.exports.refusals import MapNotDrawn
from shared.runtime.logging import get_logger
from shared.runtime.own_process import SPAWN, EndedEarly, TookTooLong, end_with_parent, in_own_process

# Far more than the largest map takes on a busy machine; a turn must not be held for ever.
LONGEST_SECONDS = 300.0
_BEHIND_OTHERS = 10

log = get_logger(__name__)


async def drawn(design_map: DesignMap, wanted: Wanted) -> bytes:
    """Have a map drawn by a process that ends with this call, cancelled or not. Raises MapNotDrawn, FaultInOwnProcess."""
    try:
        return await in_own_process(_draw, (design_map, wanted), name="design map", seconds=LONGEST_SECONDS)
    except TookTooLong:
        raise MapNotDrawn(f"The map was not drawn within {LONGEST_SECONDS:.0f} seconds.") from None
    except EndedEarly:
        raise MapNotDrawn("Drawing ended without a map; for want of memory, perhaps. Try again.") from None


async def warm_up(stopping: asyncio.Event) -> None:
    """Have all that maps need compiled for this machine and kept on disk, in the background: nobody's first map waits.

    A process of its own takes what time others leave over, and is ended if the api is told to stop. Where it fails the
    first map compiles for itself, which the log tells.
    """
    process, begun = SPAWN.Process(target=_warm_up, daemon=True, name="design map"), time.monotonic()
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


def _draw(asked: tuple[DesignMap, Wanted]) -> bytes:
    # Seconds and a hundred megabytes that only this process has a use for.
    from services.assignment.design.exports.drawing import draw  # noqa: PLC0415

    return draw(*asked)
