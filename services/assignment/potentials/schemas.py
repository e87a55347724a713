"""Bodies of potential estimates and answers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.assignment.potentials.potential import Feature, Method, PotentialMeasure
from services.assignment.potentials.queries import AccountPotential, EstimateFound, EstimateState
from shared.contracts.money import PlainDecimal
from shared.http.bodies import Body, View
from shared.http.principal import MANAGERS, Principal

Reason = Literal["too-few-known-accounts", "training-ended"]


class PotentialEstimateBody(Body):
    """What to learn from the accounts where it is known, and estimate for the others."""

    measure: PotentialMeasure = Field(
        description="revenue: of the last twelve months; pipeline: open opportunities. Both as metrics tells them."
    )
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        description="ISO 4217; accounts with an amount in other currencies only are left out."
    )
    seed: int = Field(
        default=1, ge=0, le=2**31 - 1, description="Equal seed, equal accounts: equal estimates."
    )


class ErrorView(View):
    """How far out-of-fold estimates of known accounts lie from what is known."""

    mean_absolute: PlainDecimal = Field(description="Per account, in the estimate's currency.")
    weighted: PlainDecimal = Field(description="The sum of distances by the sum of known amounts.")
    bias: PlainDecimal = Field(
        description="What the sum of estimates is off the sum of known amounts; -0.2: a fifth short."
    )


class ImportanceView(View):
    """What the model's mean absolute error grows by when a feature's values are shuffled among accounts."""

    feature: Feature = Field(description="location: state, latitude and longitude together.")
    error_growth: PlainDecimal


class TrialView(View):
    """The model against the baseline, on accounts that neither had learnt from."""

    verdict: str = Field(description="Whether the model beats the baseline, in a sentence.")
    beats_baseline: bool = Field(
        description="The improvement is more than two of its standard errors. If not, estimates are the baseline's."
    )
    model: ErrorView = Field(description="Gradient boosting over employees, industry and location.")
    baseline: ErrorView = Field(description="The median of the account's industry.")
    improvement: PlainDecimal = Field(description="Of the baseline's mean absolute error; negative: worse.")
    improvement_error: PlainDecimal = Field(description="One standard error of the improvement.")
    importance: list[ImportanceView] = Field(description="Of the model's features, greatest first.")


class PotentialEstimateView(View):
    """An estimate: queued, and once it is completed, what came of it."""

    estimate_id: UUID
    measure: PotentialMeasure
    currency: str
    state: EstimateState
    seed: int
    folds: int
    asked_by: str | None = Field(description="Null for viewers and contributors.")
    asked_at: datetime
    completed_at: datetime | None
    reason: Reason | None = Field(description="Why it failed.")
    known_accounts: int | None = Field(description="Accounts with an amount above zero: learnt from.")
    prospects: int | None = Field(description="Accounts without one in any currency: estimated.")
    method: Method | None = Field(
        description="What made the estimates: the model only if it beats the baseline."
    )
    trial: TrialView | None
    input_digest: str | None = Field(description="SHA-256 of seed and accounts as they were.")

    @classmethod
    def of(cls, found: EstimateFound, by: Principal) -> "PotentialEstimateView":
        """Show an estimate as far as the caller may see it."""
        told = found.asked_by if by.roles & MANAGERS else None
        trial = None if found.trial is None else {**found.trial, "verdict": _verdict(found)}
        return cls.model_validate({**found._asdict(), "asked_by": told, "trial": trial})


class AccountPotentialView(View):
    """An account's known amount beside its estimate, which was made without it."""

    account_id: UUID
    known_amount: PlainDecimal | None = Field(
        description="As it was when the estimate was made; null: a prospect."
    )
    estimated_amount: PlainDecimal

    @classmethod
    def of(cls, potential: AccountPotential) -> "AccountPotentialView":
        """Show the potential of an account."""
        return cls.model_validate(potential)


def _verdict(found: EstimateFound) -> str:
    trial = found.trial or {}
    errors = (
        f"out-of-fold mean absolute error {trial['model']['mean_absolute']} {found.currency} against "
        f"{trial['baseline']['mean_absolute']}, on {found.known_accounts} known accounts"
    )
    if trial["beats_baseline"]:
        return f"The model beats the median of the industry ({errors}). Estimates are the model's."
    return f"The model does not beat the median of the industry ({errors}). Estimates are that median."
