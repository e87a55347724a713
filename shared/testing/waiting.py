"""Waiting for a condition: the one place where tests sleep, and never longer than needed."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

# For one answer over a socket too: a machine that stalls for some seconds makes no test red.
PATIENCE_SECONDS = 30.0


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]],
    *,
    timeout: float = ...,  # noqa: ASYNC109
    every: float = ...,
) -> T: ...
@overload
async def eventually(
    condition: Callable[[], T],
    *,
    timeout: float = ...,  # noqa: ASYNC109
    every: float = ...,
) -> T: ...
async def eventually(
    condition: Callable[[], T | Awaitable[T]],
    *,
    timeout: float = PATIENCE_SECONDS,  # noqa: ASYNC109
    every: float = 0.02,
) -> T:
    """Return the first truthy value of `condition()`; fail with its last value when time is up."""
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        value: T = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"still {value!r} after {timeout} s: {inspect.getsource(condition).strip()}")
        await asyncio.sleep(every)
