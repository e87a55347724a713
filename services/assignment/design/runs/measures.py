"""What a caller says of the numbers that accounts have and territories are to share."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from services.assignment.design.runs.run import Counted, DesignMeasure
from shared.http.bodies import Body

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

_MONEY = frozenset({DesignMeasure.REVENUE, DesignMeasure.PIPELINE})


def currency_of_revenue(currency: str | None, info: ValidationInfo) -> str | None:
    """Return the currency of what is `counted`. Raises ValueError where revenue has none, or accounts have one."""
    revenue = info.data.get("counted") is Counted.REVENUE
    if "counted" in info.data and revenue != (currency is not None):
        raise ValueError("name it where revenue is counted, and only there")
    return currency


class MeasureName(Body):
    """A number that accounts have."""

    measure: DesignMeasure = Field(
        description="accounts: each counts 1; revenue (of twelve months) and pipeline (open) as metrics tells them."
    )
    currency: Currency | None = Field(
        default=None,
        validate_default=True,
        description="Of revenue and pipeline; amounts in others count nothing.",
    )
    potential_estimate_id: UUID | None = Field(
        default=None, validate_default=True, description="Of potential: a completed estimate."
    )
    tolerance: float = Field(
        default=0.05,
        gt=0,
        le=1,
        allow_inf_nan=False,
        description="How far off its target a load may be: 0.05 is 5 %.",
    )

    @field_validator("currency")
    @classmethod
    def _in_money(cls, currency: str | None, info: ValidationInfo) -> str | None:
        if "measure" in info.data and (info.data["measure"] in _MONEY) != (currency is not None):
            raise ValueError("name it for revenue and pipeline, and for nothing else")
        return currency

    @field_validator("potential_estimate_id")
    @classmethod
    def _of_potential(cls, estimate_id: UUID | None, info: ValidationInfo) -> UUID | None:
        potential = info.data.get("measure") is DesignMeasure.POTENTIAL
        if "measure" in info.data and potential != (estimate_id is not None):
            raise ValueError("name a completed estimate for potential, and for nothing else")
        return estimate_id


class MeasureBody(MeasureName):
    """A measure that every territory is to have its share of."""

    soft: bool = Field(
        default=False, description="It may be further off where that is worth it, which is then told."
    )
