"""Compiles kernels to machine code, kept on disk: the first call of an installation waits, no other does.

Kernels let go of Python's lock, so that plain threads run them beside each other. Sums are made in a number of parts that
hangs on the problem alone and added in order: one thread and many get the same bits.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_PARTS = 8
_WORTH_IT = 1_000


def compiled(function: F) -> F:
    """Compile."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def threads() -> int:
    """Return on how many threads kernels run: BAILIWICK_DESIGN_THREADS, else one per processor."""
    return int(os.environ.get("BAILIWICK_DESIGN_THREADS", "0")) or len(os.sched_getaffinity(0))


def in_parts(function: Callable[[int, int], T], count: int) -> list[T]:
    """Call function(first, last) for parts of range(count), some at once; return the answers in order."""
    parts = _PARTS if count >= _WORTH_IT else 1
    ends = [count * part // parts for part in range(parts + 1)]
    pieces = list(zip(ends[:-1], ends[1:], strict=True))
    workers = threads()
    if parts == 1 or workers == 1:
        return [function(first, last) for first, last in pieces]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda piece: function(*piece), pieces))
