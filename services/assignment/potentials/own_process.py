"""Training in a process of its own: it holds up nobody's event loop, gives its memory back, and can be ended at once."""

import asyncio
import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection

from services.assignment.potentials.potential import Company, Potentials
from shared.runtime.own_process import end_with_parent

# A fork would take the event loop's connections along.
_SPAWN = multiprocessing.get_context("spawn")


class TrainingEnded(RuntimeError):
    """The process ended without an answer: it was killed, for its memory perhaps, or it failed."""


async def train(companies: Sequence[Company], *, seed: int) -> Potentials:
    """Estimate potentials in a process that ends with this call, cancelled or not. Raises TrainingEnded."""
    receiver, sender = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_answer, args=(sender, companies, seed), daemon=True)
    try:
        # Starting hands the companies over, as fast as the new process reads them.
        await asyncio.to_thread(process.start)
        sender.close()
        answer: Potentials = await asyncio.to_thread(receiver.recv)
    except (EOFError, BrokenPipeError):
        raise TrainingEnded from None
    finally:
        if process.pid is not None:
            process.kill()
            await asyncio.to_thread(process.join)
    return answer


def _answer(sender: Connection, companies: Sequence[Company], seed: int) -> None:
    end_with_parent()
    # Seconds and a hundred megabytes that only this process has a use for.
    from services.assignment.potentials.trial import estimate_potentials  # noqa: PLC0415

    sender.send(estimate_potentials(companies, seed=seed))
