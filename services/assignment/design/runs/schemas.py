"""Answers about design runs."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.assignment.design.runs.queries import DesignRun, LeftOutAccount
from services.assignment.design.runs.run import (
    CapacitySource,
    Counted,
    DesignMeasure,
    Failure,
    KeepTogether,
    LeftOut,
    Mode,
    Requirement,
    RunState,
    RunTerritory,
)
from shared.http.bodies import View
from shared.http.principal import MANAGERS, Principal


class MeasureView(View):
    """A measure that is balanced."""

    measure: DesignMeasure
    currency: str | None
    potential_estimate_id: UUID | None
    tolerance: float
    soft: bool


class DisruptionView(View):
    """What moves cost, and how much may move."""

    stay: float
    most_moved: float
    counted: Counted
    currency: str | None


class ScenarioView(View):
    """What was asked."""

    mode: Mode
    measures: list[MeasureView]
    disruption: DisruptionView
    pull: float
    required: list[Requirement]
    contiguous: bool
    whole: bool = Field(description="All geographic leaves of the draft are designed.")
    with_gaps: bool
    starts: int
    seed: int
    keep_together: list[KeepTogether]
    families: int = Field(
        description="How many families of accounts go to one territory each; listed by families."
    )
    forbidden: int = Field(
        description="How many pairs there are of an account and a territory that may not have it; listed by forbidden-accounts."
    )
    barriers: int = Field(
        description="How many lines there are that no territory crosses; listed by barriers."
    )
    road_factor: float = Field(
        description="By what roads are longer than the crow's ways, but in regions of their own; 1: as long."
    )
    road_regions: int = Field(
        description="How many regions have a road factor of their own; listed by road-regions."
    )


class FiguresView(View):
    """How good the best plan so far is."""

    deviation: list[float] = Field(
        description="Of each measure: how far the load that is furthest from its target is off, as a share of it."
    )
    mean_km: float = Field(
        description="Mean distance of accounts from the middle of their territory: great-circle, by the road factors."
    )
    moved: float | None = Field(description="The share that would move; null until names are given.")


class DesignRunView(View):
    """A run: where it stands, and how good its best plan is so far."""

    run_id: UUID
    plan_id: UUID
    plan_version: int = Field(description="The draft's version when the run was asked for.")
    name: str
    scenario: ScenarioView
    state: RunState = Field(
        description="infeasible: there is a proposal, but no plan was found that keeps all limits; it tells why."
    )
    stage: str | None = Field(
        description="What is done now: prepare, starts, balance, contiguity, improve or report."
    )
    share: float | None = Field(description="How much of the stage is done, from 0 to 1.")
    figures: FiguresView | None
    time_budget_seconds: int
    asked_by: str | None = Field(description="Null for viewers and contributors, as `cancel_asked_by` is.")
    asked_at: datetime
    started_at: datetime | None
    told_at: datetime = Field(description="When anything of this changed last.")
    ended_at: datetime | None
    cancel_asked_by: str | None
    reason: Failure | None = Field(description="Why it failed.")
    detail: str | None = Field(description="The same in a sentence, with what to change.")

    @classmethod
    def of(cls, run: DesignRun, by: Principal) -> "DesignRunView":
        """Show a run as far as the caller may see it."""
        told = bool(by.roles & MANAGERS)
        view = cls.model_validate(run)
        return view if told else view.model_copy(update={"asked_by": None, "cancel_asked_by": None})


class RunTerritoryView(View):
    """A territory that a run designs, as it was when the run was asked for."""

    territory_id: UUID
    name: str
    capacity: float = Field(description="In full-time reps; targets are in this proportion.")
    capacity_source: CapacitySource
    latitude: float | None = Field(description="Where its rep lives.")
    longitude: float | None
    least_accounts: int | None
    most_accounts: int | None

    @classmethod
    def of(cls, one: RunTerritory) -> "RunTerritoryView":
        """Show a territory."""
        latitude, longitude = one.home or (None, None)
        return cls(
            territory_id=one.territory_id,
            name=one.name,
            capacity=one.capacity,
            capacity_source=one.capacity_source,
            latitude=latitude,
            longitude=longitude,
            least_accounts=one.size.least,
            most_accounts=one.size.most,
        )


class RunTerritoriesView(View):
    """All territories that a run designs."""

    items: list[RunTerritoryView]


class LeftOutAccountView(View):
    """An account that takes no part: where it belongs stays as it is."""

    account_id: UUID
    reason: LeftOut = Field(
        description=(
            "no_location: it has no latitude and longitude; pinned_elsewhere: the draft holds it outside; "
            "kept_by_draft: the draft's rules or placements send it to a named-account or overlay territory."
        )
    )

    @classmethod
    def of(cls, one: LeftOutAccount) -> "LeftOutAccountView":
        """Show an account."""
        return cls.model_validate(one)
