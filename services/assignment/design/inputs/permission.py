"""Which territories may hold which accounts: those where somebody who covers meets what is required. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from services.assignment.alignments.fit.fit import Offered, Wanted, measure_fit
from services.assignment.design.engine.arrays import Flags
from services.assignment.design.inputs.unmet import Unmet
from services.assignment.design.runs.run import Requirement

ANYWHERE = 0
"""The kind of accounts that wish nothing, or nothing that can be had."""


@dataclass(slots=True)
class Kinds:
    """Numbers accounts by what they wish of whoever covers them; equal wishes are one kind."""

    required: Collection[Requirement]
    offered: Sequence[Collection[Offered]]
    _numbers: dict[Wanted, int] = field(default_factory=dict)
    _rows: list[list[bool]] = field(default_factory=list)
    _nowhere: set[Wanted] = field(default_factory=set)
    _unmet: Counter[Wanted] = field(default_factory=Counter)

    @classmethod
    def of(
        cls,
        required: Collection[Requirement],
        territories: Sequence[UUID],
        offered: Mapping[UUID, Collection[Offered]],
    ) -> "Kinds":
        """Return the kinds for territories in the engine's order."""
        return cls(required, [offered.get(one, ()) for one in territories])

    def number(self, language: str | None, industry: str | None, needs: tuple[str, ...]) -> int:
        """Return the kind of an account that wishes this."""
        wanted = Wanted(
            language if Requirement.LANGUAGE in self.required else None,
            industry if Requirement.INDUSTRY in self.required else None,
            needs if Requirement.NEEDS in self.required else (),
        )
        if wanted not in self._numbers:
            self._numbers[wanted] = self._add(wanted)
        if wanted in self._nowhere:
            self._unmet[wanted] += 1
        return self._numbers[wanted]

    def permitted(self) -> Flags:
        """Return which territories may hold each kind, shape (kinds, K)."""
        everywhere = [True] * len(self.offered)
        return np.array([everywhere, *self._rows], dtype=np.bool_)

    def unmet(self) -> list[Unmet]:
        """Return the wishes that nobody meets, those of most accounts first."""
        return [
            Unmet(wanted.language, wanted.industry, wanted.needs, accounts)
            for wanted, accounts in self._unmet.most_common()
        ]

    def _add(self, wanted: Wanted) -> int:
        row = [meets(wanted, covering) for covering in self.offered]
        if not any(row):
            # What can be had nowhere forbids nothing: it is told as unmet.
            self._nowhere.add(wanted)
            return ANYWHERE
        if all(row):
            return ANYWHERE
        self._rows.append(row)
        return len(self._rows)


def meets(wanted: Wanted, covering: Collection[Offered]) -> bool:
    """Tell whether one of those who cover meets all that is wanted; silence is no misfit, and nobody is no obstacle."""
    if not covering:
        return True
    return any(
        all(part.score in {None, 100} for part in measure_fit(wanted, offered).parts) for offered in covering
    )
