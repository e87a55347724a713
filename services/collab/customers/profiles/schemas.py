"""Bodies of the profile and of next steps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.consents.consent import ConsentLevel, ConsentState, Statement
from services.collab.customers.needs.schemas import NeedView
from services.collab.customers.preferences.schemas import PreferenceView
from services.collab.customers.profiles.next_step import NextStep, StepCode
from services.collab.customers.profiles.profile import Part
from services.collab.customers.profiles.queries import Profile
from services.collab.customers.satisfaction.schemas import ScoreView
from services.collab.customers.source import Source
from shared.http.bodies import View


class CompletenessView(View):
    """How much of what one should know is known; each part counts the same."""

    score_percent: int = Field(ge=0, le=100)
    present: list[Part]
    missing: list[Part]


class HeldConsentView(View):
    """A yes or no that is in force."""

    consent_id: UUID
    level: ConsentLevel
    channel: Channel | None
    contact_point: str | None
    purpose: Purpose | None
    state: ConsentState
    source: Source
    effective_from: datetime
    effective_to: datetime | None

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """Show a statement."""
        target = statement.target
        return cls(
            consent_id=statement.consent_id,
            level=target.level,
            channel=target.channel,
            contact_point=target.contact_point,
            purpose=target.purpose,
            state=statement.state,
            source=statement.source,
            effective_from=statement.effective_from,
            effective_to=statement.effective_to,
        )


class ProfileView(View):
    """A customer at `at`: needs still to be met (at most 200), preferences, consents in force, latest answers."""

    account_id: UUID
    at: datetime
    needs: list[NeedView]
    needs_met: int
    needs_dropped: int
    preferences: list[PreferenceView]
    consents: list[HeldConsentView]
    satisfaction: list[ScoreView]
    completeness: CompletenessView

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Show a profile."""
        known = profile.known
        return cls(
            account_id=profile.account_id,
            at=known.at,
            needs=[NeedView.of(need, known.at) for need in profile.needs],
            needs_met=profile.needs_met,
            needs_dropped=profile.needs_dropped,
            preferences=[PreferenceView.of(held, known.at) for held in known.preferences.values()],
            consents=[HeldConsentView.of(statement) for statement in known.consents],
            satisfaction=[ScoreView.model_validate(score) for score in known.scores],
            completeness=CompletenessView.model_validate(profile.completeness),
        )


class NextStepView(View):
    """One thing to do: why, about what, since when."""

    code: StepCode
    about: str | None = Field(description="A kind of need, a channel, a preference or a survey.")
    subject_id: UUID | None = Field(description="The need, observation or score it follows from.")
    since: datetime | None
    days: int | None
    detail: str


class NextStepsView(View):
    """What to do for a customer, the most urgent first."""

    account_id: UUID
    at: datetime
    items: list[NextStepView]

    @classmethod
    def of(cls, profile: Profile, steps: Sequence[NextStep]) -> Self:
        """Show next steps."""
        items = [NextStepView.model_validate(step) for step in steps]
        return cls(account_id=profile.account_id, at=profile.known.at, items=items)
