"""Which accounts are kept together: those of one postal code, county, place or family, and what follows from that. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np

from services.assignment.design.engine.arrays import Labels
from services.assignment.design.runs.run import KeepTogether

# So many are named where something is wrong with groups; the others are like them.
_NAMED = 3

Key = tuple[str, str]
"""What is shared, and its value."""


@dataclass(frozen=True, slots=True)
class Groups:
    """of (n,): the number of each account's group. names: what makes a group, of those with two accounts or more.

    `parted` of the groups have accounts that take no part, which go elsewhere or stay where they are.
    """

    of: Labels
    names: Mapping[int, str]
    parted: int

    def sizes(self) -> list[int]:
        """Return how many accounts each group has, those of one account too."""
        sizes: list[int] = np.bincount(self.of).tolist()
        return sizes

    def torn(self, fixed: Labels, territories: Sequence[str]) -> Iterator[str]:
        """Tell of groups with accounts pinned to several territories, fixed (n,), the first few of them by name."""
        pinned = np.flatnonzero(fixed >= 0)
        where = defaultdict[int, set[int]](set)
        for group, territory in zip(self.of[pinned].tolist(), fixed[pinned].tolist(), strict=True):
            where[group].add(territory)
        several = {group: found for group, found in where.items() if len(found) > 1}
        for group in sorted(several)[:_NAMED]:
            names = sorted(territories[number] for number in several[group])
            yield f"{self.names[group]} has accounts pinned to {' and to '.join(names[:_NAMED])}"
        if len(several) > _NAMED:
            yield f"{len(several) - _NAMED} more groups are like that"


@dataclass(slots=True)
class Together:
    """Puts accounts into groups, one by one: who shares a postal code, county or place, as asked, is in one group.

    So are those of a family, by name, and those who share one each with a third account.
    """

    ways: Sequence[KeepTogether]
    families: Mapping[UUID, str] = field(default_factory=dict)
    _numbers: dict[Key, int] = field(default_factory=dict)
    _above: list[int] = field(default_factory=list)
    _accounts: list[int] = field(default_factory=list)
    _missed: set[int] = field(default_factory=set)

    def take(self, row: Any) -> None:
        """Add the next account that takes part."""
        number = self._join(row)
        if number is None:
            # It has none of what is looked at: nobody is kept with it.
            number = len(self._above)
            self._above.append(number)
        self._accounts.append(number)

    def miss(self, row: Any) -> None:
        """Note an account that takes no part."""
        number = self._join(row)
        if number is not None:
            self._missed.add(number)

    def groups(self) -> Groups:
        """Return the groups of the accounts that take part, in their order."""
        numbers: dict[int, int] = {}
        found = [numbers.setdefault(self._root(one), len(numbers)) for one in self._accounts]
        of = np.array(found, dtype=np.int32)
        several = np.bincount(of, minlength=len(numbers)) > 1
        keys = defaultdict[int, list[str]](list)
        for (way, value), number in self._numbers.items():
            group = numbers.get(self._root(number))
            if group is not None and len(keys[group]) <= _NAMED:
                keys[group].append(f"{way} {value}")
        names = {group: _name(one) for group, one in keys.items() if several[group]}
        missed = {self._root(one) for one in self._missed}
        return Groups(of, names, len(missed & numbers.keys()))

    def _join(self, row: Any) -> int | None:
        first: int | None = None
        for key in self._keys(row):
            number = self._numbers.setdefault(key, len(self._above))
            if number == len(self._above):
                self._above.append(number)
            if first is None:
                first = number
            else:
                self._above[self._root(number)] = self._root(first)
        return first

    def _keys(self, row: Any) -> Iterator[Key]:
        for way in self.ways:
            if (value := _value(way, row)) is not None:
                yield way.value, value
        if self.families and (family := self.families.get(row.account_id)) is not None:
            yield "family", family

    def _root(self, number: int) -> int:
        above = self._above
        while above[number] != number:
            above[number] = above[above[number]]
            number = above[number]
        return number


def _value(way: KeepTogether, row: Any) -> str | None:
    """Return what an account shares with those it is kept together with; None where it is not known."""
    match way:
        case KeepTogether.POSTAL_CODE:
            postal_code: str | None = row.postal_code
            return postal_code
        case KeepTogether.COUNTY:
            # Names of counties come again in other states.
            return None if row.county is None else ", ".join(filter(None, (row.county, row.state)))
        case KeepTogether.PLACE:
            return None if row.latitude is None else f"{row.latitude!r}, {row.longitude!r}"


def _name(keys: Sequence[str]) -> str:
    return " with ".join(keys[:_NAMED]) + (" and more" if len(keys) > _NAMED else "")
