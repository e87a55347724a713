"""What a sizing is asked, and its answer."""

from uuid import UUID

from pydantic import Field

from services.assignment.design.runs.measures import MeasureName
from services.assignment.design.runs.run import DesignMeasure, LeftOut
from services.assignment.design.sizing.queries import Asked, PlanSizing
from shared.http.bodies import View


class SizingQuery(MeasureName):
    """What is asked for in the query string: work as a measure of accounts, and how much of it a rep gets done."""

    per_rep: float = Field(
        ge=1e-6,
        le=1e15,
        allow_inf_nan=False,
        description="How much of the measure a full-time rep gets done: 120 accounts, or 2,000,000 of revenue.",
    )

    def asked(self) -> Asked:
        """Return what is sized up."""
        return Asked(self.measure, self.currency, self.potential_estimate_id, self.per_rep, self.tolerance)


class OptionView(View):
    """What a number of equal territories would come to."""

    territories: int
    load: float = Field(description="Of each of them, for a full-time rep.")
    deviation: float = Field(description="load / per_rep - 1.")
    within_tolerance: bool
    largest_fits: bool = Field(description="The largest account is not above what a territory may hold.")


class StaffView(View):
    """What the plan has: its geographic leaves, and those who cover them as primary."""

    territories: int
    vacant: int = Field(description="Those that nobody covers.")
    capacity: float = Field(description="Of those who cover the others, in full-time reps.")
    load: float | None = Field(description="What each full-time rep of them would have; null without any.")
    missing: float = Field(description="reps - capacity: how many are to be hired; below zero: too many.")


class SizingView(View):
    """How many full-time reps and territories the work of a plan's accounts takes."""

    plan_id: UUID
    plan_version: int
    measure: DesignMeasure
    currency: str | None
    potential_estimate_id: UUID | None
    per_rep: float
    tolerance: float
    accounts: int = Field(description="Those that a run of all leaves would be about.")
    idle: int = Field(description="Those of them that have nothing of the measure.")
    left_out: dict[LeftOut, int] = Field(
        description="Accounts that take no part, and whose work is not in here."
    )
    total: float
    largest: float = Field(description="What the largest account has alone.")
    reps: float = Field(description="total / per_rep: the workload method (Talley 1961).")
    proposed: int | None = Field(
        description="The number of territories whose load is nearest to per_rep; null where there is no work."
    )
    fewest: int | None = Field(
        description="The fewest territories within the tolerance; null where no whole number is."
    )
    most: int | None = Field(
        description="The most of them; null where no whole number is, or at a tolerance of 1."
    )
    most_whole: int | None = Field(
        description="With more territories than that, the largest account is above what any may hold."
    )
    options: list[OptionView] = Field(
        description="What numbers around these would come to; where they are many, every n-th."
    )
    staff: StaffView

    @classmethod
    def of(cls, plan_id: UUID, asked: Asked, found: PlanSizing) -> "SizingView":
        """Show a sizing."""
        sizing, staff = found.sizing, found.staff
        return cls(
            plan_id=plan_id,
            plan_version=found.plan_version,
            measure=asked.measure,
            currency=asked.currency,
            potential_estimate_id=asked.potential_estimate_id,
            per_rep=asked.per_rep,
            tolerance=asked.tolerance,
            accounts=found.accounts,
            idle=found.idle,
            left_out=found.left_out,
            total=found.work.total,
            largest=found.work.largest,
            reps=sizing.reps,
            proposed=sizing.proposed,
            fewest=sizing.fewest,
            most=sizing.most,
            most_whole=sizing.most_whole,
            options=[OptionView.model_validate(one) for one in sizing.options],
            staff=StaffView(
                territories=staff.territories,
                vacant=staff.vacant,
                capacity=staff.capacity,
                load=found.work.total / staff.capacity if staff.capacity > 0.0 else None,
                missing=sizing.reps - staff.capacity,
            ),
        )
