"""What the orders of an account say about it as a customer, and the digest of it all. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID


class CustomerHistory(NamedTuple):
    """An account's orders and refunds in one currency up to the cut-off, in minor units.

    The orders of a day are one purchase. A refund (or an order below nothing) is no purchase, but it is taken off the
    value of its day and off `total_minor`; `repeat_minor` is the value of the purchases after the first.
    """

    account_id: UUID
    purchases: int
    first_on: date | None
    last_on: date | None
    repeat_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a value is worked out on: orders up to the cut-off day, a margin, a discount rate and a horizon."""

    currency: str
    cut_off_on: date
    margin: float
    annual_discount_rate: float
    horizon_months: int

    def monthly_discount_rate(self) -> float:
        """Return the rate per month that compounds to the annual one."""
        return float((1.0 + self.annual_discount_rate) ** (1.0 / 12.0) - 1.0)


def digest_of(histories: Iterable[CustomerHistory], terms: Terms) -> str:
    """Return one name for everything that goes into a fit: equal inputs, equal digest, in whatever order."""
    digest = hashlib.sha256(repr(terms).encode())
    for history in sorted(histories):
        digest.update("|".join(map(str, history)).encode() + b"\n")
    return digest.hexdigest()
