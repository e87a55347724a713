"""Bodies of the customer value routes. Money is a decimal string in major units of its currency."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from services.metrics.customer_value.queries import (
    CustomerFound,
    FitFound,
    FitState,
    ValueFound,
    ValueSum,
    ValueSums,
)
from shared.contracts.money import PlainDecimal, from_minor
from shared.http.bodies import Body, Day, View

Level = Literal["fitted", "historic", "none"]
Currency = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217; XXX is no currency.")
]
_LEVEL = Field(
    description="fitted: expected by the models; historic: orders so far; none: no value, see the reason."
)
_REASON = Field(
    description=(
        "fitted, or why not: too-few-customers, too-few-repeat-customers, not-converged, infinite-mean-spend (bought "
        "once, and the mean of all has no value), "
        "no-purchase (refunds only), no-orders (up to the cut-off), not-valued-yet (ask for a fit)."
    )
)


class AskForFitBody(Body):
    """What to fit, and the terms on which customers are valued by it."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        description="Orders in this currency."
    )
    cut_off_on: Day | None = Field(
        default=None, description="The last day of orders, UTC; without it, today."
    )
    margin: Decimal = Field(
        default=Decimal(1),
        ge=-1,
        le=1,
        decimal_places=4,
        description="Share of an order that is kept; 1 is revenue.",
    )
    annual_discount_rate: Decimal = Field(default=Decimal("0.10"), ge=0, le=1, decimal_places=4)
    horizon_months: int = Field(default=12, ge=1, le=120)


class PurchaseModelView(View):
    """BG/NBD: `alpha` in weeks."""

    r: float
    alpha: float
    a: float
    b: float


class SpendModelView(View):
    """Gamma-gamma: `v` in major units of the currency."""

    p: float
    q: float
    v: float


class ModelsView(View):
    """Both models as fitted by greatest likelihood."""

    purchases: PurchaseModelView
    purchases_log_likelihood: float
    spend: SpendModelView
    spend_log_likelihood: float
    correlation: float = Field(
        description="Of frequency and value, which the spend model takes for independent."
    )


class TermsView(View):
    """What a value is worked out on."""

    cut_off_on: date
    margin: PlainDecimal
    annual_discount_rate: PlainDecimal
    horizon_months: int


class FitView(TermsView):
    """A fit: queued, and once it is made, what came of it."""

    fit_id: UUID
    currency: str
    state: FitState
    asked_by: str
    asked_at: datetime
    made_at: datetime | None
    version: int | None = Field(description="Counts the fits made of this currency.")
    level: Level | None = _LEVEL
    reason: str | None = _REASON
    customers: int | None = Field(description="Accounts with a purchase.")
    repeat_customers: int | None
    findings: list[str] | None = Field(
        description="negative-margin, nobody-leaves (no sign that customers do), infinite-mean-spend, spend-depends-on-frequency."
    )
    models: ModelsView | None
    input_digest: str | None = Field(
        description="SHA-256 of the terms and histories: equal inputs, equal result."
    )

    @classmethod
    def of(cls, fit: FitFound) -> Self:
        """Show a fit."""
        return cls.model_validate(fit._asdict())


class BasisView(TermsView):
    """The fit that a value comes from."""

    fit_id: UUID
    version: int


class ValueView(View):
    """A customer's value in one currency."""

    currency: str | None
    level: Level = _LEVEL
    reason: str = _REASON
    value: PlainDecimal | None = Field(
        description="fitted: margin expected within the horizon, discounted; historic: margin of the orders so far."
    )
    historic_revenue: PlainDecimal | None = Field(description="Orders so far, refunds taken off.")
    purchases: int = Field(description="Days with an order; the orders of a day are one purchase.")
    first_on: date | None
    last_on: date | None
    p_alive: float | None = Field(description="Probability that this is still a customer at the cut-off.")
    expected_purchases: float | None = Field(description="Within the horizon.")
    expected_spend: PlainDecimal | None = Field(description="Expected value of one purchase.")
    basis: BasisView | None

    @classmethod
    def of(cls, value: ValueFound) -> Self:
        """Show a value."""

        def money(minor: int | None) -> Decimal | None:
            return None if minor is None else from_minor(minor, value.currency)

        return cls(
            currency=value.currency,
            level=value.level,
            reason=value.reason,
            value=money(value.value_minor),
            historic_revenue=money(value.historic_minor),
            purchases=value.purchases,
            first_on=value.first_on,
            last_on=value.last_on,
            p_alive=value.p_alive,
            expected_purchases=value.expected_purchases,
            expected_spend=money(value.expected_spend_minor),
            basis=BasisView.model_validate(value._asdict()),
        )

    @classmethod
    def none(cls, reason: str) -> Self:
        """Show that there is no value."""
        absent = dict.fromkeys(set(cls.model_fields) - {"level", "reason", "purchases"})
        return cls.model_validate({**absent, "level": "none", "reason": reason, "purchases": 0})


class CustomerValueView(View):
    """An account's values, one per currency; at least one entry, which says why if there is no value."""

    account_id: UUID
    territory_id: UUID = Field(description="Today's; 00000000-0000-0000-0000-000000000000 is none.")
    values: list[ValueView]

    @classmethod
    def of(cls, customer: CustomerFound) -> Self:
        """Show an account's values."""
        values = [ValueView.of(value) for value in customer.values] or [ValueView.none(customer.reason)]
        return cls(account_id=customer.account_id, territory_id=customer.territory_id, values=values)


class ValueSumView(View):
    """Accounts valued on one level in one currency: levels mean different things and are never added up."""

    currency: str | None = Field(description="Null for accounts without a value.")
    level: Level
    accounts: int
    value: PlainDecimal | None
    historic_revenue: PlainDecimal | None


class TerritoryValueSumView(ValueSumView):
    """The sum of a territory with everything below it."""

    territory_id: UUID
    parent_id: UUID | None


class ValueSumsView(View):
    """Sums of territories by today's holder, and their totals."""

    rows: list[TerritoryValueSumView]
    totals: list[ValueSumView]

    @classmethod
    def of(cls, sums: ValueSums) -> Self:
        """Show sums."""
        return cls(
            rows=[TerritoryValueSumView.model_validate(_shown(row)) for row in sums.rows],
            totals=[ValueSumView.model_validate(_shown(row)) for row in sums.totals],
        )


def _shown(row: ValueSum) -> dict[str, object]:
    def money(minor: int | None) -> Decimal | None:
        return None if minor is None or row.currency is None else from_minor(minor, row.currency)

    return {
        "territory_id": row.territory_id,
        "parent_id": row.parent_id,
        "currency": row.currency,
        "level": row.level,
        "accounts": row.accounts,
        "value": money(row.value_minor),
        "historic_revenue": money(row.historic_minor),
    }
