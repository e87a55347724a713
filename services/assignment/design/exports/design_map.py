"""What is drawn of a proposal, and as what. Pure; it travels to the process that draws."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from services.assignment.design.maps.form import Form
from services.assignment.design.runs.run import BalancedMeasure

if TYPE_CHECKING:  # the api learns of arrays when it first draws
    from services.assignment.design.engine.arrays import Floats, Labels


class When(StrEnum):
    """Whose territories: those of the day the run was made, or those it proposes."""

    BEFORE = "before"
    AFTER = "after"


Wanted = When | Form
"""The boundaries of one of the two as GeoJSON, or a picture of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """Real shapes as GeoJSON, each with the number of the territory it goes to, -1 for none.

    `accounts_of_others` lie in one that goes to another territory than theirs.
    """

    geometries: tuple[str, ...]
    labels: tuple[int, ...]
    accounts_of_others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignMap:
    """n accounts in K territories with A measures.

    latitude, longitude (n,) in degrees. before, after (n,): the territory's place among the K, before -1 for none of them.
    road (n,): by what the way to each is longer than the crow's. loads_before, loads_after, targets (K, A) in the measures' own units. shapes: what boundaries are made of; None for the
    land nearest to each account.
    """

    run_id: UUID
    title: str
    territory_ids: tuple[UUID, ...]
    names: tuple[str, ...]
    measures: tuple[str, ...]
    latitude: "Floats"
    longitude: "Floats"
    road: "Floats"
    before: "Labels"
    after: "Labels"
    loads_before: "Floats"
    loads_after: "Floats"
    targets: "Floats"
    shapes: Shapes | None = None

    def labels(self, when: When) -> "Labels":
        """Return each account's territory then, shape (n,)."""
        return self.before if when is When.BEFORE else self.after

    def loads(self, when: When) -> "Floats":
        """Return what each territory held of each measure then, shape (K, A)."""
        return self.loads_before if when is When.BEFORE else self.loads_after


def measure_names(measures: Sequence[BalancedMeasure]) -> tuple[str, ...]:
    """Return what measures are called where each needs a name of its own: "accounts", "revenue EUR", "potential"."""
    names = [" ".join(filter(None, (one.measure.value, one.currency))) for one in measures]
    times = Counter(names)
    # Only potentials of several estimates are called alike.
    return tuple(
        name if times[name] == 1 else f"{name} {one.potential_estimate_id}"
        for name, one in zip(names, measures, strict=True)
    )
