"""The words of potential estimates: what is learnt from, on which terms, and what came of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from shared.contracts.money import exponent

FOLDS = 5
# Each fold then learns from 80 and is judged on 20: less says nothing about industries.
FEWEST_KNOWN = 100


class PotentialMeasure(StrEnum):
    """The measure of accounts that is learnt and estimated."""

    REVENUE = "revenue"
    PIPELINE = "pipeline"


class Method(StrEnum):
    """What estimates are made by."""

    GRADIENT_BOOSTING = "gradient_boosting"
    INDUSTRY_MEDIAN = "industry_median"


class Feature(StrEnum):
    """What an estimate looks at; a state and a point are one, because each tells of the other."""

    EMPLOYEES = "employees"
    INDUSTRY = "industry"
    LOCATION = "location"


@dataclass(frozen=True, slots=True)
class Company:
    """An account as it is learnt from or estimated; the `amount` of a prospect is not known."""

    account_id: UUID
    employees: int | None
    industry: str | None
    state: str | None
    latitude: float | None
    longitude: float | None
    amount: float | None


@dataclass(frozen=True, slots=True)
class Error:
    """How far estimates lie from amounts that they were not learnt from.

    `weighted` is the sum of distances by the sum of amounts; `bias` what the estimates' sum is off the amounts' sum.
    """

    mean_absolute: float
    weighted: float
    bias: float


@dataclass(frozen=True, slots=True)
class Importance:
    """How much the mean absolute error grows when the values of a feature are shuffled among accounts."""

    feature: Feature
    error_growth: float


@dataclass(frozen=True, slots=True)
class Trial:
    """The model beside the baseline, both judged on the same accounts, none of which they had learnt from."""

    model: Error
    baseline: Error
    improvement: float
    improvement_error: float
    importance: list[Importance]

    @property
    def beats_baseline(self) -> bool:
        """Tell whether the model is better by more than chance brings about: two standard errors."""
        return self.improvement > 2 * self.improvement_error

    @property
    def method(self) -> Method:
        """Return what estimates are to be made by: never by a model that did not prove itself."""
        return Method.GRADIENT_BOOSTING if self.beats_baseline else Method.INDUSTRY_MEDIAN


@dataclass(frozen=True, slots=True)
class Potentials:
    """A trial and the estimates of all companies, in their order; known ones are estimated without themselves."""

    trial: Trial
    amounts: list[float]


def digest(companies: Sequence[Company], *, seed: int) -> str:
    """Return the SHA-256 of what an estimate is made of: equal inputs, equal estimate."""
    hashed = sha256(f"{FOLDS} {seed}\n".encode())
    for company in companies:
        fields = (getattr(company, name) for name in Company.__slots__)
        hashed.update("\t".join("" if value is None else str(value) for value in fields).encode() + b"\n")
    return hashed.hexdigest()


def as_money(amount: float, currency: str) -> Decimal:
    """Return an estimated amount to the minor unit of its currency."""
    return round(Decimal(amount), exponent(currency))
