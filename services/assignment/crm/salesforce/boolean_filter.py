"""Reads and writes BooleanFilter, such as "(1 AND 2) OR 3": which items of a rule must hold together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LENGTH = 65_536
MAX_DEPTH = 16

_TOKEN = re.compile(r"\s*(?:(\(|\)|[0-9]{1,6}|[A-Za-z]+)|(\S))")


class WrongFilter(ValueError):
    """Why a text is no BooleanFilter."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts joined by AND or OR; there are two at least."""

    operator: str
    parts: tuple["Filter", ...]


Filter = int | Joined


def parse_filter(text: str, *, items: int) -> Filter:
    """Return the filter over items 1 to `items`, each of which it has to name. Raises WrongFilter."""
    if len(text) > MAX_LENGTH:
        raise WrongFilter(f"at most {MAX_LENGTH} characters")
    parser = _Parser(list(_tokens(text)))
    found = parser.read(0)
    if parser.next is not None:
        raise WrongFilter(f"{parser.next!r} stands where the filter should end")
    named = set(_numbers(found))
    if strange := sorted(named - set(range(1, items + 1))):
        raise WrongFilter(f"there is no item {strange[0]}; the rule has {items}")
    if unnamed := sorted(set(range(1, items + 1)) - named):
        raise WrongFilter(f"item {unnamed[0]} stands nowhere in it: name it or leave the item out")
    return found


def write_filter(condition: Filter) -> str:
    """Return the text of a filter."""
    if isinstance(condition, int):
        return str(condition)
    parts = (f"({write_filter(part)})" if isinstance(part, Joined) else str(part) for part in condition.parts)
    return f" {condition.operator} ".join(parts)


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        if match.group(2) is not None:
            raise WrongFilter(f"{match.group(2)!r} is neither a number, AND, OR nor a parenthesis")
        token = match.group(1)
        yield token.upper()


def _numbers(condition: Filter) -> Iterator[int]:
    if isinstance(condition, int):
        yield condition
    else:
        for part in condition.parts:
            yield from _numbers(part)


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def next(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def read(self, depth: int) -> Filter:
        """Read operands joined by one operator."""
        parts = [self._operand(depth)]
        operator: str | None = None
        while self.next in {"AND", "OR"}:
            if operator not in {None, self.next}:
                raise WrongFilter("AND and OR beside each other need parentheses")
            operator = self._take()
            parts.append(self._operand(depth))
        return parts[0] if operator is None else Joined(operator, tuple(parts))

    def _operand(self, depth: int) -> Filter:
        word = self._take()
        if word.isdecimal():
            return int(word)
        if word == "NOT":
            raise WrongFilter("NOT is not supported: use notEqual in the item")
        if word != "(":
            raise WrongFilter(f"{word!r} stands where an item's number is wanted")
        if depth == MAX_DEPTH:
            raise WrongFilter(f"at most {MAX_DEPTH} parentheses in each other")
        inner = self.read(depth + 1)
        if self._take() != ")":
            raise WrongFilter("a parenthesis is not closed")
        return inner

    def _take(self) -> str:
        token = self.next
        if token is None:
            raise WrongFilter("it ends where an item's number is wanted")
        self._place += 1
        return token
