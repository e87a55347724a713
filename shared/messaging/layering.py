"""Cutting a batch into few large handler calls without breaking the order of any key."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def layers(
    items: Iterable[T], *, kind_of: Callable[[T], K], key_of: Callable[[T], Hashable | None]
) -> list[tuple[K, list[T]]]:
    """Group items by kind, in calls to be made one after the other.

    An item joins the earliest call of its kind that is not before the call its key was last in; so a key's
    items are handled in their order, whatever their kinds. Items whose key is None know no order.
    """
    calls: list[tuple[K, list[T]]] = []
    calls_of_kind: dict[K, list[int]] = {}
    last_call: dict[Hashable, int] = {}
    for item in items:
        kind, key = kind_of(item), key_of(item)
        own = calls_of_kind.setdefault(kind, [])
        at = bisect_left(own, 0 if key is None else last_call.get(key, 0))
        if at == len(own):
            own.append(len(calls))
            calls.append((kind, []))
        chosen = own[at]
        calls[chosen][1].append(item)
        if key is not None:
            last_call[key] = chosen
    return calls
