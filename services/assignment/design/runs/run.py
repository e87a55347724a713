"""The words of design runs: what is asked for, in which state a run is, and how good its best plan is so far. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

# A run that ends its worker each time would go round for ever.
MOST_LOSSES = 4


class Mode(StrEnum):
    """Where a run begins: from scratch, or from the alignments that are live; of these all, or what came and went."""

    GREENFIELD = "greenfield"
    REALIGN = "realign"
    WHAT_IF = "what_if"


class RunState(StrEnum):
    """Where a run stands; `infeasible` has a proposal, too, that keeps less than all of the limits."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    INFEASIBLE = "infeasible"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Tell whether nothing will change any more."""
        return self not in {RunState.QUEUED, RunState.RUNNING}

    @property
    def proposes(self) -> bool:
        """Tell whether there is a proposal."""
        return self in {RunState.FINISHED, RunState.INFEASIBLE}


class Failure(StrEnum):
    """Why a run has no proposal."""

    NOTHING_TO_DESIGN = "nothing-to-design"
    NOTHING_TO_BALANCE = "nothing-to-balance"
    WRONG_PROBLEM = "wrong-problem"
    TORN_GROUP = "torn-group"
    IMPOSSIBLE_SIZES = "impossible-sizes"
    TIME_BUDGET_SPENT = "time-budget-spent"
    ENGINE_ENDED = "engine-ended"
    ENGINE_FAILED = "engine-failed"


class DesignMeasure(StrEnum):
    """What may be balanced: numbers that accounts have."""

    ACCOUNTS = "accounts"
    EMPLOYEES = "employees"
    REVENUE = "revenue"
    PIPELINE = "pipeline"
    POTENTIAL = "potential"


class Counted(StrEnum):
    """What a move counts: one each, or the account's revenue."""

    ACCOUNTS = "accounts"
    REVENUE = "revenue"


class Requirement(StrEnum):
    """What of an account's wishes somebody who covers its territory has to meet."""

    LANGUAGE = "language"
    INDUSTRY = "industry"
    NEEDS = "needs"


class KeepTogether(StrEnum):
    """What accounts share that go to one territory whole."""

    POSTAL_CODE = "postal_code"
    COUNTY = "county"
    PLACE = "place"


class CapacitySource(StrEnum):
    """Where the capacity of a territory is from."""

    TOLD = "told"
    COVERAGE = "coverage"
    VACANT = "vacant"
    EQUAL = "equal"


class LeftOut(StrEnum):
    """Why an account that the run would be about takes no part in it."""

    NO_LOCATION = "no_location"
    PINNED_ELSEWHERE = "pinned_elsewhere"
    KEPT_BY_DRAFT = "kept_by_draft"


@dataclass(frozen=True, slots=True)
class BalancedMeasure:
    """A measure to be balanced, within a share of each target; a soft one may be further off where it is worth it."""

    measure: DesignMeasure
    tolerance: float
    soft: bool = False
    currency: str | None = None
    potential_estimate_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Disruption:
    """What moves cost (`stay`, in the travel of a mean account) and how much of what they count may move at most."""

    stay: float = 0.0
    most_moved: float = 1.0
    counted: Counted = Counted.ACCOUNTS
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a run is asked; equal scenarios of equal accounts give equal proposals.

    `whole`: all leaves are designed. `with_gaps`: accounts that belong nowhere take part. `families`: how many of
    those were told, `forbidden`: how many pairs of an account and a territory, and `barriers`: how many lines, that
    nothing crosses. `road_factor`: by what roads are longer than the crow's ways, but in the `road_regions`, of which
    there are so many.
    """

    mode: Mode
    measures: tuple[BalancedMeasure, ...]
    disruption: Disruption
    pull: float
    required: tuple[Requirement, ...]
    contiguous: bool
    whole: bool
    with_gaps: bool
    starts: int
    seed: int
    keep_together: tuple[KeepTogether, ...] = ()
    families: int = 0
    forbidden: int = 0
    barriers: int = 0
    road_factor: float = 1.0
    road_regions: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """Accounts that a caller wants to go to one territory."""

    name: str
    account_ids: tuple[UUID, ...]


Ring = Sequence[tuple[float, float]]
"""Longitudes and latitudes of a line that ends where it begins."""


@dataclass(frozen=True, slots=True)
class RoadRegion:
    """Where roads are longer than the crow's ways by a factor of its own: a state, a county, or an area on the map.

    A county without a state is of any. area: a polygon, the outer ring first, holes after it.
    """

    factor: float
    state: str | None = None
    county: str | None = None
    area: Sequence[Ring] | None = None


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Accounts that a territory may not have, whoever covers it: a conflict of interest, a customer who asked for it."""

    territory_id: UUID
    account_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How many accounts a territory may have; None for any number."""

    least: int | None = None
    most: int | None = None


ANY_SIZE = Size()


@dataclass(frozen=True, slots=True)
class RunTerritory:
    """A territory that takes part: its number in the engine, what it can carry, where its rep lives, how many accounts."""

    number: int
    territory_id: UUID
    name: str
    capacity: float
    capacity_source: CapacitySource
    home: tuple[float, float] | None
    size: Size = ANY_SIZE


@dataclass(frozen=True, slots=True)
class Figures:
    """How good a plan is: the largest |load / target - 1| per measure, mean km to the middle, share that moves.

    `moved` is of the accounts that belong somewhere today; None while nothing is known.
    """

    deviation: tuple[float, ...]
    mean_km: float
    moved: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run is at, how much of that is done, and the best plan so far."""

    stage: str
    share: float
    figures: Figures | None
