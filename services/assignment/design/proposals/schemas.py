"""Answers about proposals, and what an acceptance asks for."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.assignment.design.proposals.frontier import WithFrontier, shown
from services.assignment.design.proposals.kept_together import KeptTogetherView
from services.assignment.design.proposals.queries import (
    ProposalFound,
    ProposalTerritory,
)
from services.assignment.design.proposals.sensitivity import KeptSensitivity, sensitivity_shown
from services.assignment.design.proposals.shortfall_view import ShortfallView
from services.assignment.design.proposals.stale_view import StaleView
from services.assignment.design.runs.run import LeftOut
from services.assignment.design.runs.schemas import MeasureView, ScenarioView
from shared.http.bodies import View


class LoadView(View):
    """What a territory would hold of a measure."""

    load: float
    target: float
    deviation: float = Field(description="load / target - 1.")


class BindingView(View):
    """A limit that keeps the whole plan from costing less."""

    measure: int = Field(description="Its place among the scenario's measures.")
    side: Literal["low", "high"]
    price: float = Field(description="Share of all travel that is saved per whole target it is loosened by.")


class ProposalTerritoryView(View):
    """What a territory would get."""

    territory_id: UUID
    name: str
    capacity: float
    accounts: int
    least_accounts: int | None = Field(description="How many it may have at least; null for any number.")
    most_accounts: int | None
    gained: int
    lost: int
    loads: list[LoadView] = Field(description="In the order of the scenario's measures.")
    latitude: float | None = Field(description="Of its middle.")
    longitude: float | None
    mean_km: float | None = Field(
        description="Mean distance of its accounts from its middle: great-circle, by their road factors."
    )
    parts: int = Field(description="Connected parts: 1 is whole, 0 has no account.")
    binding: list[BindingView] = Field(description="Of the engine's plan, whatever was moved by hand.")

    @classmethod
    def of(cls, one: ProposalTerritory) -> "ProposalTerritoryView":
        """Show a territory."""
        return cls(
            territory_id=one.territory_id,
            name=one.name,
            capacity=one.capacity,
            accounts=one.accounts,
            least_accounts=one.least_accounts,
            most_accounts=one.most_accounts,
            gained=one.gained,
            lost=one.lost,
            loads=[
                LoadView(load=load, target=target, deviation=load / target - 1)
                for load, target in zip(one.loads, one.targets, strict=True)
            ],
            latitude=one.latitude,
            longitude=one.longitude,
            mean_km=one.mean_km,
            parts=one.parts,
            binding=[BindingView.model_validate(limit) for limit in one.binding],
        )


class ProposalMeasureView(MeasureView):
    """A measure and how well the proposal balances it."""

    total: float
    deviation: float = Field(description="Of the load that is furthest from its target, as a share of it.")
    least_deviation: float = Field(
        description="No plan gets below that: for accounts too large, islands, or who may hold what."
    )
    least_moved: float = Field(description="The share of it that has to move at least, whatever the plan.")


class UnmetView(View):
    """What accounts wish and nobody who covers brings: it forbids them nothing."""

    language: str | None
    industry: str | None
    needs: list[str]
    accounts: int


class ProposalView(WithFrontier):
    """What a run proposes, how good it is, and how good any plan could be."""

    run_id: UUID
    plan_id: UUID
    plan_version: int
    name: str
    scenario: ScenarioView
    feasible: bool = Field(description="All limits hold.")
    why: list[ShortfallView] = Field(description="Those that do not.")
    measures: list[ProposalMeasureView]
    accounts: int = Field(description="Those that take part.")
    left_out: dict[LeftOut, int] = Field(
        description="Accounts that the run is about and that take no part, by reason; listed by left-out-accounts."
    )
    elsewhere: int = Field(description="Accounts that the run is not about: they stay where they are.")
    unmet: list[UnmetView]
    kept_together: KeptTogetherView | None = Field(description="Null where nobody is kept together.")
    mean_km: float = Field(
        description="Mean distance of accounts from the middle of their territory: great-circle, by their road factors."
    )
    cost: float = Field(
        description=(
            "Sum of squared distances, in square kilometres, as the engine weighs them: in an equal-area plane around "
            "the middle of all accounts, whose lengths are off by some percent far from there."
        )
    )
    bound: float = Field(
        description=(
            "No plan within the tolerances costs less with its middles where those of the engine's plan are, whatever was "
            "moved by hand."
        )
    )
    gap: float | None = Field(
        description=(
            "cost / bound - 1; null where a tolerance is not kept, no bound above zero is known, or accounts were moved by "
            "hand: middles are others then than those that the bound is of."
        )
    )
    aligned_accounts: int = Field(description="Accounts that belong to a territory today, designed or not.")
    moved_accounts: int = Field(description="Those of them that would go to another.")
    moved_share: float = Field(
        description="The same as a share, of accounts or revenue as the scenario counts."
    )
    seed: int
    solver_version: str
    input_hash: str = Field(description="Of everything that the proposal depends on.")
    made_at: datetime
    stale: StaleView
    sensitivity: KeptSensitivity
    edit_version: int = Field(description="Rises with each edit by hand, undone and redone; the ETag has it.")
    edited_accounts: int = Field(description="Accounts that are elsewhere than the engine would have them.")
    territories: list[ProposalTerritoryView]

    @classmethod
    def of(cls, found: ProposalFound) -> "ProposalView":
        """Show a proposal."""
        run, totals = found.run, found.totals
        scenario = ScenarioView.model_validate(run.scenario)
        names = {one.territory_id: one.name for one in found.territories}
        return cls(
            run_id=run.run_id,
            plan_id=run.plan_id,
            plan_version=run.plan_version,
            name=run.name,
            scenario=scenario,
            feasible=totals.feasible,
            why=[ShortfallView.of(one, run.scenario, names) for one in totals.why],
            measures=[
                ProposalMeasureView(
                    **measure.model_dump(),
                    total=totals.totals[number],
                    deviation=totals.deviation[number],
                    least_deviation=totals.least_deviation[number],
                    least_moved=totals.least_moved[number],
                )
                for number, measure in enumerate(scenario.measures)
            ],
            accounts=totals.units,
            left_out=totals.left_out,
            elsewhere=totals.elsewhere,
            unmet=[UnmetView.model_validate(one) for one in totals.unmet],
            kept_together=None
            if (kept := totals.kept_together) is None
            else KeptTogetherView.model_validate(kept),
            mean_km=totals.mean_km,
            cost=totals.cost,
            bound=totals.bound,
            gap=totals.gap,
            aligned_accounts=totals.aligned_accounts,
            moved_accounts=totals.moved_accounts,
            moved_share=totals.moved_share,
            **shown(totals.frontier),
            seed=totals.seed,
            solver_version=totals.solver_version,
            input_hash=totals.input_hash,
            made_at=totals.made_at,
            stale=StaleView.model_validate(found.stale),
            sensitivity=sensitivity_shown(totals.sensitivity),
            edit_version=totals.edit_version,
            edited_accounts=totals.edited_accounts,
            territories=[ProposalTerritoryView.of(one) for one in found.territories],
        )
