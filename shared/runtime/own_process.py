"""Work in a process of its own: it holds up nobody's event loop, gives its memory back, and ends with who asked for it."""

import asyncio
import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

# A fork would take the event loop's connections along.
SPAWN = multiprocessing.get_context("spawn")


class TookTooLong(RuntimeError):
    """There was no answer in time."""


class EndedEarly(RuntimeError):
    """The process ended without an answer: it was killed, for its memory perhaps."""


class FaultInOwnProcess(RuntimeError):
    """The work has a fault; the message is its trace, for the log."""


@dataclass(frozen=True, slots=True)
class _Fault:
    trace: str


async def in_own_process(
    work: Callable[[Question], Answer], question: Question, *, name: str, seconds: float | None = None
) -> Answer:
    """Have a function of a module answer a question in a process that ends with this call, cancelled or not.

    What only that process has a use for, `work` imports itself. Raises TookTooLong, EndedEarly, FaultInOwnProcess.
    """
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_answer, args=(theirs,), daemon=True, name=name)
    try:
        async with asyncio.timeout(seconds):
            await asyncio.to_thread(process.start)
            theirs.close()
            await asyncio.to_thread(ours.send, (work, question))
            answer: Answer | _Fault = await asyncio.to_thread(ours.recv)
    except TimeoutError:
        raise TookTooLong from None
    except (EOFError, OSError):
        raise EndedEarly from None
    finally:
        # What still waits for it in a thread is told so by this.
        if process.pid is not None:
            process.kill()
            await asyncio.to_thread(process.join)
        theirs.close()
    if isinstance(answer, _Fault):
        raise FaultInOwnProcess(answer.trace)
    return answer


def _answer(connection: Connection) -> None:
    end_with_parent()
    try:
        work, question = connection.recv()
        connection.send(work(question))
    except Exception:  # noqa: BLE001 - whatever it is, who waits has to be told
        connection.send(_Fault(traceback.format_exc()))


def end_with_parent() -> None:
    """Have this process end when the one that started it has, however that went: it would go on for nothing."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
