"""Matching in a process of its own: the api does without arrays, and gives the memory back."""

import asyncio
import multiprocessing
import traceback
from multiprocessing.connection import Connection

from services.assignment.design.matching.question import Matching, Question
from services.assignment.design.matching.refusals import RepsNotMatched
from shared.runtime.own_process import end_with_parent

# A fork would take the event loop's connections along.
_SPAWN = multiprocessing.get_context("spawn")
# Several times what as many territories as a tree may have take: 5,000 reps, a minute and a gigabyte; 2,000, seconds.
LONGEST_SECONDS = 300.0


class MatchingFailedError(RuntimeError):
    """Matching has a fault; the message is its trace, for the log."""


async def matched(question: Question) -> Matching:
    """Have a question answered by a process that ends with this call, cancelled or not.

    Raises RepsNotMatched, MatchingFailedError.
    """
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_answer, args=(theirs,), daemon=True, name="rep matching")
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await asyncio.to_thread(process.start)
            theirs.close()
            await asyncio.to_thread(ours.send, question)
            answer: Matching | str = await asyncio.to_thread(ours.recv)
    except TimeoutError:
        raise RepsNotMatched(f"Reps were not matched within {LONGEST_SECONDS:.0f} seconds.") from None
    except (EOFError, OSError):
        raise RepsNotMatched(
            "Matching ended without an answer; for want of memory, perhaps. Try again."
        ) from None
    finally:
        # What still waits for it in a thread is told so by this.
        if process.pid is not None:
            process.kill()
            await asyncio.to_thread(process.join)
        theirs.close()
    if isinstance(answer, str):
        raise MatchingFailedError(answer)
    return answer


def _answer(connection: Connection) -> None:
    end_with_parent()
    question = connection.recv()
    # A second and some memory that only this process has a use for.
    from services.assignment.design.matching.matching import match_reps  # noqa: PLC0415

    try:
        connection.send(match_reps(question))
    except Exception:  # noqa: BLE001 - whatever it is, who waits has to be told
        connection.send(traceback.format_exc())
