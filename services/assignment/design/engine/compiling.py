"""Compiles kernels to machine code, kept on disk: the first call of an installation waits, no other does."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

# Sums are made in this many parts and added in order, so that one thread and many get the same bits.
PARTS = 8


def compiled(function: F) -> F:
    """Compile for one thread."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def compiled_parallel(function: F) -> F:
    """Compile for as many threads as there are; its `prange` goes over PARTS."""
    return cast(F, numba.njit(cache=True, nogil=True, parallel=True)(function))
