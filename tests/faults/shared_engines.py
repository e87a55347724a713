"""Engines that faults share, started when the first of them asks, and anew after a run that broke off."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Self

from tests.faults.stage import Engines


class SharedEngines:
    """Lends the same engines until they are thrown away."""

    def __init__(self, start: Callable[[], AbstractContextManager[Engines]]) -> None:
        self._start = start
        self._ends = ExitStack()
        self._engines: Engines | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.throw_away()

    @contextmanager
    def lend(self) -> Iterator[Engines]:
        """Give the engines to one run; they go on afterwards. Raises what starting them raises."""
        if self._engines is None:
            self._engines = self._ends.enter_context(self._start())
        yield self._engines

    def throw_away(self) -> None:
        """End the engines: a run that broke off may have left them dead, full or paused."""
        ends, self._ends, self._engines = self._ends, ExitStack(), None
        # They may refuse to end for the same reason; the next ones are in folders of their own.
        with suppress(Exception):
            ends.close()
