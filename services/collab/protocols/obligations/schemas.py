"""Bodies of the obligation routes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from services.collab.protocols.obligations.obligation import ObligationState, Outcome, Untold
from services.collab.protocols.obligations.queries import ObligationRow, StepRow
from services.collab.protocols.protocol import Action, Duty
from shared.http.bodies import View


class ObligationView(View):
    """What is owed; `rep_id` is who covered the territory when it was opened.

    `subject_id` is the handoff to accept, the contact to answer, or the request to acknowledge a policy, which is
    about no account.
    """

    obligation_id: UUID
    protocol_code: str
    protocol_id: UUID
    protocol_version: int
    duty: Duty
    subject_id: UUID
    account_id: UUID | None
    territory_id: UUID | None
    rep_id: UUID | None
    state: ObligationState
    started_at: datetime
    due_at: datetime
    breached_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    outcome: Outcome | None


class StepView(View):
    """A step; who was told by it is known once it was taken, or why an escalation told nobody.

    They are told by the step's event, for whatever carries it to people: it is in nobody's inbox.
    """

    loop: int
    step: int
    action: Action
    state: Literal["pending", "taken", "cancelled"]
    due_at: datetime
    taken_at: datetime | None
    told_territory_id: UUID | None
    told_rep_id: UUID | None
    untold_because: Untold | None

    @classmethod
    def of(cls, row: StepRow) -> Self:
        """Show a step."""
        ended: Literal["taken", "cancelled"] = "cancelled" if row.fired_at is None else "taken"
        return cls(
            loop=row.loop,
            step=row.step,
            action=row.action,
            state="pending" if row.fired_at is None and row.cancelled_at is None else ended,
            due_at=row.due_at,
            taken_at=row.fired_at,
            told_territory_id=row.told_territory_id,
            told_rep_id=row.told_rep_id,
            untold_because=row.untold_because,
        )


class ObligationStepsView(ObligationView):
    """What is owed, with its steps in the order of their time."""

    steps: list[StepView]

    @classmethod
    def of(cls, row: ObligationRow, steps: Sequence[StepRow]) -> Self:
        """Show an obligation."""
        shown = ObligationView.model_validate(row).model_dump()
        return cls(**shown, steps=[StepView.of(step) for step in steps])
