"""Answers about proposals, and what an acceptance asks for."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from services.assignment.design.proposals.commands.accept_proposal import AcceptedProposal
from services.assignment.design.proposals.frontier import WithFrontier, shown
from services.assignment.design.proposals.queries import (
    ComparedRun,
    Comparison,
    ProposalFound,
    ProposalTerritory,
    ProposedAccount,
    ReasonWhy,
)
from services.assignment.design.runs.run import LeftOut, RunState
from services.assignment.design.runs.schemas import MeasureView, ScenarioView
from shared.http.bodies import Body, View

# In the words that users of maps understand; the engine's own stand in its Reason.
WHY: dict[ReasonWhy, str] = {
    "fixed": "A pin of the draft holds it there.",
    "stays": "It is there today, and leaving is not worth the cost of a move.",
    "nearest": "No territory that may hold it is nearer.",
    "balance": "A nearer territory is full, or this one would be short of its target.",
    "whole": "A nearer territory could not reach it or would fall apart, or accounts are too large to do better.",
}


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
    gained: int
    lost: int
    loads: list[LoadView] = Field(description="In the order of the scenario's measures.")
    latitude: float | None = Field(description="Of its middle.")
    longitude: float | None
    mean_km: float | None
    parts: int = Field(description="Connected parts: 1 is whole, 0 has no account.")
    binding: list[BindingView]

    @classmethod
    def of(cls, one: ProposalTerritory) -> "ProposalTerritoryView":
        """Show a territory."""
        return cls(
            territory_id=one.territory_id,
            name=one.name,
            capacity=one.capacity,
            accounts=one.accounts,
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
    why: list[str] = Field(description="Why not all of them do.")
    measures: list[ProposalMeasureView]
    accounts: int = Field(description="Those that take part.")
    left_out: dict[LeftOut, int] = Field(
        description="Accounts that the run is about and that take no part, by reason; listed by left-out-accounts."
    )
    elsewhere: int = Field(description="Accounts that the run is not about: they stay where they are.")
    unmet: list[UnmetView]
    mean_km: float = Field(description="Mean distance of accounts from the middle of their territory.")
    cost: float = Field(description="Sum of squared distances, in square kilometres.")
    bound: float = Field(
        description="No plan within the tolerances costs less with its middles where this one's are."
    )
    gap: float | None = Field(
        description="cost / bound - 1; null where a tolerance is not kept, or no bound above zero is known."
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
    territories: list[ProposalTerritoryView]

    @classmethod
    def of(cls, found: ProposalFound) -> "ProposalView":
        """Show a proposal."""
        run, totals = found.run, found.totals
        scenario = ScenarioView.model_validate(run.scenario)
        return cls(
            run_id=run.run_id,
            plan_id=run.plan_id,
            plan_version=run.plan_version,
            name=run.name,
            scenario=scenario,
            feasible=totals.feasible,
            why=totals.why,
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
            territories=[ProposalTerritoryView.of(one) for one in found.territories],
        )


class ProposedAccountView(View):
    """Where an account would go."""

    account_id: UUID
    from_territory_id: UUID | None = Field(
        description="Where it belonged when the run was made; null: nowhere."
    )
    to_territory_id: UUID
    moved: bool
    reason: ReasonWhy
    why: str = Field(description="The same in a sentence.")

    @classmethod
    def of(cls, one: ProposedAccount) -> "ProposedAccountView":
        """Show an account."""
        return cls(
            account_id=one.account_id,
            from_territory_id=one.territory_before,
            to_territory_id=one.territory_after,
            moved=one.territory_before not in {None, one.territory_after},
            reason=one.reason,
            why=WHY[one.reason],
        )


class ComparedRunView(View):
    """A scenario beside others; of deviation, travel and disruption less is better."""

    run_id: UUID
    name: str
    scenario: ScenarioView
    state: RunState
    plan_version: int
    territories: int
    accounts: int
    moved_accounts: int
    deviation: float | None = Field(
        description="The worst of the shared measures; null where the scenarios balance nothing in common."
    )
    mean_km: float
    moved_share: float = Field(description="Of aligned accounts, even where the scenario counts revenue.")
    group: int = Field(
        description=(
            "Scenarios of one group are compared: the same territories, as many accounts, the same requirements."
        )
    )
    on_front: bool = Field(
        description="No other scenario of its group is as good in all three and better in one."
    )

    @classmethod
    def of(cls, one: ComparedRun) -> "ComparedRunView":
        """Show a scenario."""
        return cls(
            run_id=one.run_id,
            name=one.name,
            scenario=ScenarioView.model_validate(one.scenario),
            state=one.state,
            plan_version=one.plan_version,
            territories=one.territories,
            accounts=one.accounts,
            moved_accounts=one.moved_accounts,
            deviation=one.standing.deviation,
            mean_km=one.standing.mean_km,
            moved_share=one.standing.moved,
            group=one.group,
            on_front=one.on_front,
        )


class ComparisonView(View):
    """A plan's scenarios side by side, the latest first."""

    plan_id: UUID
    shared_measures: list[MeasureView] = Field(
        description="What all of them balance, by which they are judged; tolerances are the latest scenario's."
    )
    runs: list[ComparedRunView]

    @classmethod
    def of(cls, plan_id: UUID, comparison: Comparison) -> "ComparisonView":
        """Show a comparison."""
        return cls(
            plan_id=plan_id,
            shared_measures=[MeasureView.model_validate(one) for one in comparison.shared_measures],
            runs=[ComparedRunView.of(one) for one in comparison.runs],
        )


class AcceptanceBody(Body):
    """What of a proposal a draft takes over."""

    territory_ids: Annotated[list[UUID], Field(min_length=1, max_length=5_000)] | None = Field(
        default=None, description="Only what goes to these territories; all of it when left out."
    )


class AcceptanceView(View):
    """What the draft took over; it has `plan_version` since."""

    run_id: UUID
    plan_id: UUID
    plan_version: int
    accounts: int = Field(description="Placed in the draft as proposed.")
    unchanged: int = Field(description="Those of them that it had placed so already.")
    pinned: int = Field(description="Those of them that stay elsewhere for as long as a pin holds them.")
    rejected: int = Field(
        description="Accounts that are there no more, or go to a territory that the draft lost."
    )

    @classmethod
    def of(cls, accepted: AcceptedProposal) -> "AcceptanceView":
        """Show what was accepted."""
        return cls.model_validate(accepted)
