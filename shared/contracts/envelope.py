"""The event contract's common part: what every published fact carries besides its own fields."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

AggregateOrder = Literal["dense", "rising", "none"]
"""How `aggregateversion` counts on a topic: dense 1,2,3 (events), rising (state), or none (foreign facts)."""


class EventContract(BaseModel):
    """A published event's data. Readers ignore what they do not know: fields are only ever added.

    `TYPE` is the wire type, `TOPIC` the logical topic, `key` the aggregate whose order is kept.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]
    ORDER: ClassVar[AggregateOrder] = "dense"

    @property
    def key(self) -> str:
        """Name the aggregate: the Kafka key and the CloudEvents subject."""
        raise NotImplementedError


class Envelope(BaseModel):
    """The CloudEvents 1.0 attributes of one record, with our extensions."""

    model_config = ConfigDict(frozen=True)

    id: str
    source: str
    type: str
    subject: str | None = None
    time: datetime | None = None
    dataschema: str | None = None
    aggregateversion: int | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None


def event_source(organisation: str, service: str) -> str:
    """Return the CloudEvents `source` of a service: `/<organisation>/<service>`."""
    return f"/{organisation}/{service}"
