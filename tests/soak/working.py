"""Threads that go on whatever happens: what nobody foresaw is noted, and they begin again."""

import threading
from collections.abc import Callable

PAUSE = 1.0


def keep_working(
    name: str,
    work: Callable[[], None],
    *,
    stopping: threading.Event,
    wrong: list[str],
    pause: float = PAUSE,
) -> None:
    """Work until told to stop, noting every error under the name; `pause` is in seconds, after each of them."""
    while not stopping.is_set():
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a thread has nobody to tell
            wrong.append(f"{name}: {error!r}")
            stopping.wait(pause)
