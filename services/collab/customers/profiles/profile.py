"""All that is known of a customer at a moment, and how much of what one should know that is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.collab.customers.channel import Channel
from services.collab.customers.consents.consent import ConsentLevel, Statement
from services.collab.customers.needs.need import NeedStatus
from services.collab.customers.preferences.preference import PreferenceName, Preferences, channels_of
from services.collab.customers.satisfaction.score import ScoreKind
from services.collab.customers.source import age_in_days

STALE_DAYS = 365
"""What was captured longer ago than this should be asked again."""
FRESH_ANSWER_DAYS = 365


@dataclass(frozen=True, slots=True)
class KnownNeed:
    """A need that is still to be met."""

    need_id: UUID
    kind: str
    status: NeedStatus
    owner_rep_id: UUID | None
    due_on: date | None
    registered_at: datetime
    evidence: int


@dataclass(frozen=True, slots=True)
class KnownScore:
    """A customer's latest answer to one kind of survey."""

    score_id: UUID
    kind: ScoreKind
    score: int
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of a customer at `at`; consents are those in force, needs those still to be met.

    `covering` are the reps who cover the account's territory, or one above it.
    """

    at: datetime
    needs: tuple[KnownNeed, ...]
    needs_ever: int
    preferences: Preferences
    consents: tuple[Statement, ...]
    scores: tuple[KnownScore, ...]
    covering: frozenset[UUID]


class Part(StrEnum):
    """What a complete profile has."""

    LANGUAGE = "language"
    CHANNEL = "channel"
    CONTACT_HOURS = "contact_hours"
    CADENCE = "cadence"
    FRESH_PREFERENCES = "fresh_preferences"
    CONSENT = "consent"
    NEEDS = "needs"
    NEED_OWNERS = "need_owners"
    EVIDENCE = "evidence"
    SATISFACTION = "satisfaction"


@dataclass(frozen=True, slots=True)
class Completeness:
    """Which parts are there: each counts the same."""

    score_percent: int
    present: tuple[Part, ...]
    missing: tuple[Part, ...]


def measure_completeness(known: Knowledge) -> Completeness:
    """Return how complete a profile is."""
    there = _parts(known)
    present = tuple(part for part in Part if there[part])
    missing = tuple(part for part in Part if not there[part])
    return Completeness(100 * len(present) // len(Part), present, missing)


def _parts(known: Knowledge) -> dict[Part, bool]:
    held = known.preferences
    needs = known.needs
    return {
        Part.LANGUAGE: PreferenceName.LANGUAGE in held,
        Part.CHANNEL: PreferenceName.CHANNEL in held,
        Part.CONTACT_HOURS: PreferenceName.CONTACT_HOURS in held,
        Part.CADENCE: PreferenceName.CADENCE in held,
        Part.FRESH_PREFERENCES: bool(held) and not stale_preferences(known),
        Part.CONSENT: not channels_without_consent(known),
        Part.NEEDS: known.needs_ever > 0,
        # Nothing to own and nothing to prove is no achievement while no need was ever heard.
        Part.NEED_OWNERS: known.needs_ever > 0 and all(need.owner_rep_id for need in needs),
        Part.EVIDENCE: known.needs_ever > 0 and all(need.evidence for need in needs),
        Part.SATISFACTION: any(
            age_in_days(s.answered_at, known.at) <= FRESH_ANSWER_DAYS for s in known.scores
        ),
    }


def stale_preferences(known: Knowledge) -> list[PreferenceName]:
    """Return the preferences that were captured too long ago."""
    return [
        name
        for name, preference in known.preferences.items()
        if age_in_days(preference.holds.captured_at, known.at) > STALE_DAYS
    ]


def channels_without_consent(known: Knowledge) -> Sequence[Channel | None]:
    """Return the preferred channels on which nobody has asked for consent; None stands for no preference.

    A word on everything speaks for each channel; a no is an answer too.
    """
    said = {statement.target.channel for statement in known.consents if statement.target.channel}
    if any(statement.target.level is ConsentLevel.GLOBAL for statement in known.consents):
        return []
    preferred = channels_of(known.preferences)
    if not preferred:
        return [] if said else [None]
    return [channel for channel in preferred if channel not in said]
