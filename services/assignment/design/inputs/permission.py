"""Which territories may hold which accounts: those where somebody who covers meets what is required, but for forbidden ones.

Pure.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

import numpy as np

from services.assignment.alignments.fit.fit import Offered, Wanted, measure_fit
from services.assignment.design.engine.arrays import Flags, Labels
from services.assignment.design.inputs.unmet import Unmet
from services.assignment.design.runs.run import Requirement

ANYWHERE = 0
"""The kind of accounts that wish nothing, or nothing that can be had."""


@dataclass(slots=True)
class _Part:
    """One part of what reps bring (languages, say): equal offers and equal wishes are looked at once.

    `offers` are the different ones, `of_rep` (R,) which of them each rep makes.
    """

    offers: Sequence[Offered]
    of_rep: Labels
    _meeting: dict[Wanted, Flags] = field(default_factory=dict)

    @classmethod
    def of(cls, offers: Iterable[Offered]) -> Self:
        """Return the part of reps in their order."""
        numbers: dict[Offered, int] = {}
        of_rep = np.array([numbers.setdefault(one, len(numbers)) for one in offers], dtype=np.int32)
        return cls(list(numbers), of_rep)

    def meeting(self, wanted: Wanted) -> Flags:
        """Return which reps meet a wish, shape (R,); silence is no misfit."""
        if wanted not in self._meeting:
            meet = [
                all(part.score in {None, 100} for part in measure_fit(wanted, one).parts)
                for one in self.offers
            ]
            self._meeting[wanted] = np.array(meet, dtype=np.bool_)[self.of_rep]
        return self._meeting[wanted]


@dataclass(slots=True)
class Covering:
    """Who covers each of the territories, part by part.

    Hundreds of wishes times thousands of reps, one by one, would hold the event loop beyond the lease of the run.
    `covered` are the territories with reps, `starts` where those of each begin.
    """

    territories: int
    covered: Labels
    starts: Labels
    languages: _Part
    industries: _Part
    needs: _Part

    @classmethod
    def of(cls, offered: Sequence[Collection[Offered]]) -> Self:
        """Return the cover of territories in their order."""
        reps = [one for covering in offered for one in covering]
        counts = np.array([len(covering) for covering in offered], dtype=np.int32)
        covered = np.flatnonzero(counts).astype(np.int32)
        return cls(
            territories=len(offered),
            covered=covered,
            starts=(np.cumsum(counts) - counts)[covered].astype(np.int32),
            languages=_Part.of(Offered(one.languages, (), ()) for one in reps),
            industries=_Part.of(Offered((), one.industries, ()) for one in reps),
            needs=_Part.of(Offered((), (), one.need_kinds) for one in reps),
        )

    def meet(self, wanted: Wanted) -> Flags:
        """Return where one of those who cover meets all that is wanted, shape (K,); nobody is no obstacle."""
        meet = np.ones(self.territories, dtype=np.bool_)
        if len(self.covered):
            reps = (
                self.languages.meeting(Wanted(wanted.language, None, ()))
                & self.industries.meeting(Wanted(None, wanted.industry, ()))
                & self.needs.meeting(Wanted(None, None, wanted.needs))
            )
            meet[self.covered] = np.logical_or.reduceat(reps, self.starts)
        return meet


@dataclass(slots=True)
class Kinds:
    """Numbers accounts by what they wish of whoever covers them, and by who may not have them; who is alike is one kind.

    barred: the numbers of the territories that may not have it, of each account of which any is told.
    """

    required: Collection[Requirement]
    covering: Covering
    barred: Mapping[UUID, frozenset[int]] = field(default_factory=dict)
    _numbers: dict[tuple[Wanted, frozenset[int]], int] = field(default_factory=dict)
    _rows: list[Flags] = field(default_factory=list)
    _nowhere: set[tuple[Wanted, frozenset[int]]] = field(default_factory=set)
    _unmet: Counter[Wanted] = field(default_factory=Counter)

    @classmethod
    def of(
        cls,
        required: Collection[Requirement],
        territories: Sequence[UUID],
        offered: Mapping[UUID, Collection[Offered]],
        forbidden: Mapping[UUID, Collection[UUID]],
    ) -> "Kinds":
        """Return the kinds for territories in the engine's order; forbidden: those that may not have it, of accounts."""
        numbers = {territory_id: number for number, territory_id in enumerate(territories)}
        return cls(
            required,
            Covering.of([offered.get(one, ()) for one in territories]),
            {account: frozenset(numbers[one] for one in barred) for account, barred in forbidden.items()},
        )

    def number(
        self, account_id: UUID, language: str | None, industry: str | None, needs: tuple[str, ...]
    ) -> int:
        """Return the kind of an account that wishes this."""
        wanted = Wanted(
            language if Requirement.LANGUAGE in self.required else None,
            industry if Requirement.INDUSTRY in self.required else None,
            needs if Requirement.NEEDS in self.required else (),
        )
        kind = wanted, self.barred.get(account_id, frozenset())
        if kind not in self._numbers:
            self._numbers[kind] = self._add(*kind)
        if kind in self._nowhere:
            self._unmet[wanted] += 1
        return self._numbers[kind]

    def permitted(self) -> Flags:
        """Return which territories may hold each kind, shape (kinds, K)."""
        return np.stack([np.ones(self.covering.territories, dtype=np.bool_), *self._rows])

    def unmet(self) -> list[Unmet]:
        """Return the wishes that nobody meets, those of most accounts first."""
        return [
            Unmet(wanted.language, wanted.industry, wanted.needs, accounts)
            for wanted, accounts in self._unmet.most_common()
        ]

    def _add(self, wanted: Wanted, barred: frozenset[int]) -> int:
        free = np.ones(self.covering.territories, dtype=np.bool_)
        free[list(barred)] = False
        row = self.covering.meet(wanted) & free
        if not row.any():
            # What can be had nowhere forbids nothing: it is told as unmet.
            self._nowhere.add((wanted, barred))
            row = free
        if row.all():
            return ANYWHERE
        self._rows.append(row)
        return len(self._rows)
