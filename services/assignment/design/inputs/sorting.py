"""Which accounts a run is about, and what it may do with each of them. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from services.assignment.design.runs.run import LeftOut

NONE = -1


class Place(NamedTuple):
    """The numbers of the territory an account has, and of the one it has to be in; NONE for none."""

    incumbent: int
    fixed: int


@dataclass(slots=True)
class Taking:
    """Takes accounts one by one, and notes those that it does not take.

    `numbers` are the designed territories'. When `whole`, a run is about every account but those that belong to
    territories `apart` in the draft: named accounts and overlays stay with whom they are. Else it is about the
    accounts of its territories, and `with_gaps` about those that belong nowhere. `held` are the plan's pins, `kept` the accounts
    that its rules or placements send to territories `apart`: accepted, a proposal would undo that.
    """

    numbers: Mapping[UUID, int]
    held: Mapping[UUID, UUID]
    whole: bool
    with_gaps: bool
    apart: frozenset[UUID]
    kept: AbstractSet[UUID] = frozenset()
    left_out: list[tuple[UUID, LeftOut]] = field(default_factory=list)
    elsewhere: int = 0

    def take(self, account_id: UUID, territory_id: UUID | None, *, located: bool) -> Place | None:
        """Return what may be done with an account that belongs to a territory today; None if it takes no part."""
        pinned = self.held.get(account_id)
        if pinned not in self.numbers and not self._is_about(territory_id):
            self.elsewhere += 1
            return None
        if pinned is not None and pinned not in self.numbers:
            self.left_out.append((account_id, LeftOut.PINNED_ELSEWHERE))
            return None
        if pinned is None and account_id in self.kept:
            self.left_out.append((account_id, LeftOut.KEPT_BY_DRAFT))
            return None
        if not located:
            self.left_out.append((account_id, LeftOut.NO_LOCATION))
            return None
        incumbent = NONE if territory_id is None else self.numbers.get(territory_id, NONE)
        return Place(incumbent, NONE if pinned is None else self.numbers[pinned])

    def _is_about(self, territory_id: UUID | None) -> bool:
        if territory_id is None:
            return self.with_gaps
        return territory_id in self.numbers or (self.whole and territory_id not in self.apart)
