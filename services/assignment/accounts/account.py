"""An account: a customer or prospect, as it is known by an external system's id."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from shared.contracts.identity import account_id_of


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """What an import tells of an account; None is "not known". The external id makes the account's own."""

    external_id: str
    name: str
    postal_code: str | None = None
    county: str | None = None
    state: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    industry: str | None = None
    employees: int | None = None

    @property
    def account_id(self) -> UUID:
        """Return the account's id."""
        return account_id_of(self.external_id)


@dataclass(frozen=True, slots=True)
class AccountMeasures:
    """What an account is worth: revenue of the last twelve months and open pipeline, in one currency."""

    currency: str
    revenue: Decimal
    pipeline: Decimal

    def __add__(self, other: "AccountMeasures") -> "AccountMeasures":
        return AccountMeasures(self.currency, self.revenue + other.revenue, self.pipeline + other.pipeline)
