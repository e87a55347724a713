"""Steps of the engine that cannot be stopped, waited for only as long as there is time."""

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from services.assignment.design.engine.proposal import StoppedError

Found = TypeVar("Found")

# How long a step may take beyond the time there is; its worker gives it longer.
_LINGER_SECONDS = 5.0


def in_time(work: Callable[[], Found], *, until: float) -> Found:
    """Return what comes of some work, done on a thread of its own: not over in time, it is left to itself, and to the process's end.

    until: by the monotonic clock. Raises StoppedError when the time is up, and what the work raises.
    """
    found: queue.Queue[tuple[Found] | BaseException] = queue.Queue()

    def do() -> None:
        try:
            found.put((work(),))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is waited for
            found.put(error)

    threading.Thread(target=do, daemon=True).start()
    try:
        answer = found.get(timeout=max(until - time.monotonic(), 0.0) + _LINGER_SECONDS)
    except queue.Empty:
        raise StoppedError from None
    if isinstance(answer, BaseException):
        raise answer
    return answer[0]
