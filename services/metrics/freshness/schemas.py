"""Bodies of the freshness route."""

from datetime import datetime

from pydantic import Field

from shared.http.bodies import View


class PartitionView(View):
    """Every record before `next_offset` is in the figures."""

    consumer: str
    topic: str
    partition: int
    next_offset: int


class FreshnessView(View):
    """As of when figures are read."""

    as_of: datetime


class ProgressView(FreshnessView):
    """What was read of each topic, and what waits, in the whole organisation."""

    partitions: list[PartitionView]
    parked_keys: int = Field(description="Keys that wait for an operator (`events dlq list`).")
    unpublished_accounts: int = Field(description="Accounts whose new state is not published yet.")
    conflicting_facts: int = Field(description="Tellings that contradict a revision told before them.")
