"""Bodies of the preference routes."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, RootModel

from services.collab.customers.channel import Channel
from services.collab.customers.preferences.preference import (
    RESOLUTION,
    WEEK,
    Preference,
    PreferenceName,
    Preferences,
    Weekday,
)
from services.collab.customers.preferences.queries import ObservationRow
from services.collab.customers.source import Source, age_in_days
from shared.http.bodies import Body, Instant, View

# What can be opened is more: the zone database has files that are no zones.
_zones = cache(available_timezones)


def _time_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("an IANA time zone, such as Asia/Tokyo")
    return name


def _distinct(items: list[Any]) -> list[Any]:
    if len(set(items)) < len(items):
        raise ValueError("the same value stands here twice")
    return items


TimeZone = Annotated[
    str,
    Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$", examples=["Asia/Tokyo"]),
    AfterValidator(_time_zone),
]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:00"])]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", examples=["es", "pt-BR"])]


class ContactHoursBody(Body):
    """When a customer may be reached, on their own clock; equal ends are the whole day."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7), AfterValidator(_distinct)]
    start: Clock = Field(alias="from")
    end: Clock = Field(alias="to")
    time_zone: TimeZone


class CadenceBody(Body):
    """How often a customer wants to hear from us."""

    every_days: int = Field(ge=1, le=730)


class _Told(Body):
    source: Source = Source.REP
    confidence_percent: int = Field(default=100, ge=0, le=100)
    captured_at: Instant | None = Field(default=None, description="Now, when left out; never ahead.")

    def value_told(self) -> Any:
        """Return the value as it is stored."""
        return self.model_dump(mode="json", by_alias=True)["value"]


class ChannelPreferenceBody(_Told):
    """Channels, the most welcome first."""

    name: Literal[PreferenceName.CHANNEL]
    value: Annotated[list[Channel], Field(min_length=1, max_length=7), AfterValidator(_distinct)]


class HoursPreferenceBody(_Told):
    """Contact hours."""

    name: Literal[PreferenceName.CONTACT_HOURS]
    value: ContactHoursBody

    def value_told(self) -> Any:
        """Return the hours with their days in the order of the week."""
        told = super().value_told()
        return {**told, "days": [day.value for day in WEEK if day in self.value.days]}


class LanguagePreferenceBody(_Told):
    """The language to speak to a customer in."""

    name: Literal[PreferenceName.LANGUAGE]
    value: Language


class CadencePreferenceBody(_Told):
    """How often to be in touch."""

    name: Literal[PreferenceName.CADENCE]
    value: CadenceBody


class NewPreferenceBody(
    RootModel[
        Annotated[
            ChannelPreferenceBody | HoursPreferenceBody | LanguagePreferenceBody | CadencePreferenceBody,
            Field(discriminator="name"),
        ]
    ]
):
    """What somebody told of a customer's preferences."""


class ToldView(View):
    """One thing that was told, by whom, how sure and how long ago."""

    observation_id: UUID
    name: PreferenceName
    value: str | list[Channel] | dict[str, Any]
    source: Source
    confidence_percent: int
    captured_at: datetime
    age_days: int


class PreferenceView(ToldView):
    """What holds, and how many other words agree with it or do not."""

    agreeing: int
    conflicting: int

    @classmethod
    def of(cls, preference: Preference, now: datetime) -> Self:
        """Show what holds, as old as it is now."""
        told = preference.holds
        own = {name: getattr(told, name) for name in type(told).__dataclass_fields__}
        return cls(
            **own,
            age_days=age_in_days(told.captured_at, now),
            agreeing=preference.agreeing,
            conflicting=preference.conflicting,
        )


class PreferencesView(View):
    """What a customer prefers; `resolution` names the rule by which conflicts were resolved."""

    account_id: UUID
    resolution: Literal["newest-of-most-trusted-source"]
    items: list[PreferenceView]

    @classmethod
    def of(cls, account_id: UUID, preferences: Preferences, now: datetime) -> Self:
        """Show what holds."""
        items = [PreferenceView.of(preference, now) for preference in preferences.values()]
        return cls(account_id=account_id, resolution=RESOLUTION, items=items)


class ObservationView(ToldView):
    """One thing that was told, and who entered it when."""

    recorded_at: datetime
    recorded_by: str

    @classmethod
    def of(cls, row: ObservationRow, now: datetime) -> Self:
        """Show an observation as old as it is now."""
        own = {name: getattr(row.told, name) for name in type(row.told).__dataclass_fields__}
        return cls(
            **own,
            age_days=age_in_days(row.told.captured_at, now),
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
        )
