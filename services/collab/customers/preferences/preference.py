"""What a customer prefers, resolved from everything that was told. Pure.

Several sources tell several things. The rule: the most trusted source wins, and of what it told the newest;
what else was told stays as history. Confidence decides only between two words of one source and one moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from services.collab.customers.channel import Channel
from services.collab.customers.source import TRUST, Source


class PreferenceName(StrEnum):
    """What a preference is about."""

    CHANNEL = "channel"
    CONTACT_HOURS = "contact_hours"
    LANGUAGE = "language"
    CADENCE = "cadence"


class Weekday(StrEnum):
    """A day of the customer's week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEK = tuple(Weekday)

RESOLUTION: Final = "newest-of-most-trusted-source"


@dataclass(frozen=True, slots=True)
class ContactHours:
    """When a customer may be reached: [start, end) on their own clock.

    An end before the start lies on the next day; equal ends are the whole day.
    """

    days: frozenset[Weekday]
    start: time
    end: time
    time_zone: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing somebody told; `value` is as it was sent: text, a list of codes, or an object."""

    observation_id: UUID
    name: PreferenceName
    value: Any
    source: Source
    confidence_percent: int
    captured_at: datetime


@dataclass(frozen=True, slots=True)
class Preference:
    """What holds, and how many other words agree with it or do not."""

    holds: Observation
    agreeing: int
    conflicting: int


Preferences = dict[PreferenceName, Preference]


def resolve_preferences(observations: Iterable[Observation]) -> Preferences:
    """Return what holds, by name; what nobody told of is left out."""
    told: dict[PreferenceName, list[Observation]] = {}
    for observation in observations:
        told.setdefault(observation.name, []).append(observation)
    return {name: _resolve(told[name]) for name in PreferenceName if name in told}


def _resolve(observations: list[Observation]) -> Preference:
    holds = max(observations, key=_weight)
    agreeing = sum(other.value == holds.value for other in observations) - 1
    return Preference(holds, agreeing, len(observations) - 1 - agreeing)


def _weight(observation: Observation) -> tuple[int, datetime, int, UUID]:
    return (
        TRUST[observation.source],
        observation.captured_at,
        observation.confidence_percent,
        observation.observation_id,
    )


def language_of(preferences: Preferences) -> str | None:
    """Return the language a customer wants to be spoken to in."""
    found = preferences.get(PreferenceName.LANGUAGE)
    return None if found is None else str(found.holds.value)


def channels_of(preferences: Preferences) -> tuple[Channel, ...]:
    """Return the channels a customer prefers, the most welcome first."""
    found = preferences.get(PreferenceName.CHANNEL)
    return () if found is None else tuple(Channel(code) for code in found.holds.value)


def contact_hours_of(preferences: Preferences) -> ContactHours | None:
    """Return when a customer may be reached; None when nobody told."""
    found = preferences.get(PreferenceName.CONTACT_HOURS)
    if found is None:
        return None
    told = found.holds.value
    return ContactHours(
        days=frozenset(Weekday(day) for day in told["days"]),
        start=time.fromisoformat(told["from"]),
        end=time.fromisoformat(told["to"]),
        time_zone=told["time_zone"],
    )
