"""Seeded chance: the same words, the same throws, on every machine."""

from random import Random


def dice(*words: object) -> Random:
    """Return dice of their own for what the words name, so that no throw depends on another's order."""
    return Random("/".join(map(str, words)))  # noqa: S311 - repeatable on purpose
