"""Answers about fit."""

from typing import Self
from uuid import UUID

from pydantic import Field

from services.assignment.alignments.fit.fit import PartName, Unknown
from services.assignment.alignments.fit.queries import AccountFit
from shared.http.bodies import View


class PartView(View):
    """One part of a score: the share of what the account asks for that the rep meets, in percent."""

    name: PartName
    weight: int
    score: int | None
    reason: Unknown | None = Field(description="Why there is no score; such a part weighs nothing.")
    met: list[str]
    unmet: list[str]


class RepFitView(View):
    """How well one who covers the account fits it."""

    rep_id: UUID
    role: str
    score: int | None
    reason: Unknown | None
    parts: list[PartView]


class WantedView(View):
    """What the account asks for; language and needs are collab's, the industry is the account's own."""

    language: str | None
    industry: str | None
    needs: list[str]


class FitView(View):
    """How well those who cover an account fit it, in percent: the score is that of the best of them."""

    account_id: UUID
    plan_id: UUID | None
    territory_id: UUID | None
    wanted: WantedView
    score: int | None
    reason: Unknown | None
    reps: list[RepFitView]

    @classmethod
    def of(cls, found: AccountFit) -> Self:
        """Show the fit of an account."""
        return cls(
            account_id=found.account_id,
            plan_id=found.plan_id,
            territory_id=found.territory_id,
            wanted=WantedView.model_validate(found.wanted),
            score=found.score,
            reason=found.reason,
            reps=[
                RepFitView(
                    rep_id=one.rep_id,
                    role=one.role,
                    score=one.fit.score,
                    reason=one.fit.reason,
                    parts=[PartView.model_validate(part) for part in one.fit.parts],
                )
                for one in found.reps
            ],
        )
