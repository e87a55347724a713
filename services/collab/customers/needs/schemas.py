"""Bodies of the need routes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from services.collab.customers.need_kinds.schemas import KindCode
from services.collab.customers.needs.need import DropReason, NeedStatus
from services.collab.customers.needs.queries import NeedRow
from services.collab.customers.source import Source, age_in_days
from shared.http.bodies import Body, Day, Instant, Text, View

Percent = Annotated[int, Field(ge=0, le=100)]
EvidenceKind = Literal["conversation", "document", "delivery", "survey", "other"]


class NewNeedBody(Body):
    """What a customer needs."""

    kind: KindCode
    text: Text
    owner_rep_id: UUID | None = Field(
        default=None, description="Who looks after it; the rep who covers the account when left out."
    )
    due_on: Day | None = None
    source: Source = Source.REP
    confidence_percent: Percent = 100
    captured_at: Instant | None = Field(default=None, description="Now, when left out; never ahead.")


class NeedChangeBody(Body):
    """What changes; what is left out stays. `owner_rep_id` and `due_on` may become null."""

    status: NeedStatus | None = None
    drop_reason: DropReason | None = Field(default=None, description="Goes with status dropped.")
    text: Text | None = None
    owner_rep_id: UUID | None = None
    due_on: Day | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one of status, text, owner_rep_id, due_on")
        for name in {"status", "drop_reason"} & self.model_fields_set:
            if getattr(self, name) is None:
                raise ValueError(f"{name}: cannot be null; leave it out to keep it")
        if "text" in self.model_fields_set and self.text is None:
            raise ValueError("text: cannot be null; DELETE .../text erases it")
        if self.drop_reason is not None and self.status is not NeedStatus.DROPPED:
            raise ValueError("drop_reason: goes with status dropped, and only with it")
        return self

    def values(self) -> dict[str, Any]:
        """Return what is to be stored as it is."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"status", "drop_reason"}}


class EvidenceBody(Body):
    """Something that shows how a need stands."""

    kind: EvidenceKind = "conversation"
    text: Text


class EvidenceView(View):
    """Something that shows how a need stands; `text` is null once it was erased."""

    evidence_id: UUID
    kind: EvidenceKind
    text: str | None
    added_at: datetime
    added_by: str
    erased_at: datetime | None


class NeedView(View):
    """A need with its evidence; `text` is null once it was erased."""

    need_id: UUID
    account_id: UUID
    kind: str
    text: str | None
    owner_rep_id: UUID | None
    status: NeedStatus
    drop_reason: DropReason | None
    due_on: date | None
    source: Source
    confidence_percent: int
    captured_at: datetime
    age_days: int = Field(description="Whole days since captured_at, at the moment of the answer.")
    version: int
    registered_at: datetime
    registered_by: str
    changed_at: datetime
    closed_at: datetime | None
    erased_at: datetime | None
    evidence: list[EvidenceView]

    @classmethod
    def of(cls, need: NeedRow, now: datetime) -> Self:
        """Show a need as old as it is now."""
        own = {name: getattr(need, name) for name in NeedRow.__dataclass_fields__ if name != "evidence"}
        evidence = [EvidenceView.model_validate(entry) for entry in need.evidence]
        return cls(**own, evidence=evidence, age_days=age_in_days(need.captured_at, now))
