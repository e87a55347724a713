"""What a process says of itself: named checks, each ready or telling why not."""

from collections.abc import Awaitable, Callable, Mapping

Check = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else one short sentence."""


async def failing(checks: Mapping[str, Check]) -> dict[str, str]:
    """Run every check and return the sentences of those that fail."""
    found: dict[str, str] = {}
    for name, check in checks.items():
        try:
            sentence = await check()
        except Exception as error:  # noqa: BLE001 - a probe reports whatever breaks, it never breaks itself
            sentence = type(error).__name__
        if sentence is not None:
            found[name] = sentence
    return found
