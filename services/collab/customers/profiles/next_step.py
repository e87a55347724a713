"""What to do next for a customer, derived from what is known; each rule has a code of its own. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from services.collab.customers.needs.need import NeedStatus
from services.collab.customers.profiles.profile import (
    STALE_DAYS,
    Knowledge,
    channels_without_consent,
    stale_preferences,
)
from services.collab.customers.satisfaction.score import LOW
from services.collab.customers.source import age_in_days

EVIDENCE_DAYS = 14
"""A need this old should have something to show."""
LOW_ANSWER_DAYS = 180
"""A low answer older than this was dealt with, or is beyond mending by a call."""


class StepCode(StrEnum):
    """Why something is to be done; in the order of urgency."""

    SATISFACTION_LOW = "satisfaction-low"
    NEED_OVERDUE = "need-overdue"
    NEED_UNOWNED = "need-unowned"
    NEED_OWNER_LEFT = "need-owner-left"
    NEED_WITHOUT_EVIDENCE = "need-without-evidence"
    CONSENT_MISSING = "consent-missing"
    PREFERENCE_STALE = "preference-stale"


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do: why, about what, since when, and the number behind it.

    `about` is the kind of a need, a channel, a preference or a survey; None when nothing narrower is known.
    `days` is by how much a need is overdue, how old evidence, preference or answer is.
    """

    code: StepCode
    about: str | None
    subject_id: UUID | None
    since: datetime | None
    days: int | None
    detail: str


Rule = Callable[[Knowledge], Iterator[NextStep]]


def derive_next_steps(known: Knowledge) -> list[NextStep]:
    """Return what to do, the most urgent first and of the same urgency the longest due."""
    steps = [step for rule in RULES for step in rule(known)]
    order = list(StepCode)
    return sorted(steps, key=lambda step: (order.index(step.code), -(step.days or 0), step.about or ""))


def _low_satisfaction(known: Knowledge) -> Iterator[NextStep]:
    for score in known.scores:
        days = age_in_days(score.answered_at, known.at)
        if score.score <= LOW[score.kind] and days <= LOW_ANSWER_DAYS:
            detail = f"The latest {score.kind} answer is {score.score}: ask what went wrong."
            yield NextStep(
                StepCode.SATISFACTION_LOW, score.kind, score.score_id, score.answered_at, days, detail
            )


def _overdue_needs(known: Knowledge) -> Iterator[NextStep]:
    for need in known.needs:
        if need.due_on is not None and need.due_on < known.at.date():
            # The day itself is still in time.
            since = datetime.combine(need.due_on + timedelta(days=1), time(), UTC)
            days = (known.at.date() - need.due_on).days
            detail = f"Due on {need.due_on}: meet it, or agree another day."
            yield NextStep(StepCode.NEED_OVERDUE, need.kind, need.need_id, since, days, detail)


def _unowned_needs(known: Knowledge) -> Iterator[NextStep]:
    for need in known.needs:
        if need.owner_rep_id is None:
            days = age_in_days(need.registered_at, known.at)
            detail = "Nobody looks after it: name an owner."
            yield NextStep(StepCode.NEED_UNOWNED, need.kind, need.need_id, need.registered_at, days, detail)


def _needs_whose_owner_left(known: Knowledge) -> Iterator[NextStep]:
    for need in known.needs:
        if need.owner_rep_id is not None and need.owner_rep_id not in known.covering:
            detail = "Whoever looks after it does not cover the account: name another owner."
            yield NextStep(StepCode.NEED_OWNER_LEFT, need.kind, need.need_id, None, None, detail)


def _needs_without_evidence(known: Knowledge) -> Iterator[NextStep]:
    for need in known.needs:
        days = age_in_days(need.registered_at, known.at)
        due = need.status is NeedStatus.IN_PROGRESS or days >= EVIDENCE_DAYS
        if not need.evidence and due:
            detail = "Nothing shows how it stands: add evidence."
            yield NextStep(
                StepCode.NEED_WITHOUT_EVIDENCE, need.kind, need.need_id, need.registered_at, days, detail
            )


def _missing_consents(known: Knowledge) -> Iterator[NextStep]:
    for channel in channels_without_consent(known):
        what = "any channel" if channel is None else f"{channel}"
        detail = f"Nobody asked whether contact by {what} is wanted: ask."
        yield NextStep(StepCode.CONSENT_MISSING, channel, None, None, None, detail)


def _stale_preferences(known: Knowledge) -> Iterator[NextStep]:
    for name in stale_preferences(known):
        held = known.preferences[name].holds
        days = age_in_days(held.captured_at, known.at)
        detail = f"Captured {days} days ago, more than {STALE_DAYS}: ask whether it still holds."
        yield NextStep(StepCode.PREFERENCE_STALE, name, held.observation_id, held.captured_at, days, detail)


RULES: Sequence[Rule] = (
    _low_satisfaction,
    _overdue_needs,
    _unowned_needs,
    _needs_whose_owner_left,
    _needs_without_evidence,
    _missing_consents,
    _stale_preferences,
)
