"""Where a word about a customer comes from, and how far it is trusted. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum


class Source(StrEnum):
    """Who told."""

    CUSTOMER = "customer"
    CONTRACT = "contract"
    REP = "rep"
    CRM = "crm"
    INFERRED = "inferred"


TRUST = {source: len(Source) - rank for rank, source in enumerate(Source)}
"""The customer's own word is trusted most, what was inferred least."""


def age_in_days(captured_at: datetime, now: datetime) -> int:
    """Return how many whole days ago something was captured."""
    return max((now - captured_at) // timedelta(days=1), 0)
