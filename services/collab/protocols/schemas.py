"""Bodies of the protocol and calendar routes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import Path
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from services.collab.protocols.calendar_hours import week_of
from services.collab.protocols.protocol import Action, Duty, ProtocolVersion, Step, Trigger
from services.collab.protocols.queries import CalendarRow, ProtocolRow
from services.collab.protocols.working_hours import Unit, WorkingTime
from shared.http.bodies import Body, Day, Name, View

_CODE = r"^[a-z][a-z0-9-]{1,39}$"
Code = Annotated[str, StringConstraints(pattern=_CODE)]
CodeInPath = Annotated[str, Path(pattern=_CODE)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# A year of work at most: deadlines are counted day by day.
_LONGEST = {Unit.HOURS: 2_000, Unit.DAYS: 260}


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("a zone of the IANA database, such as Europe/Berlin")
    return name


class HoursBody(Body):
    """Work on some days of the week, from one minute to another; "24:00" is midnight."""

    days: tuple[Weekday, ...] = Field(min_length=1, max_length=7)
    opens: str = Field(alias="from", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    closes: str = Field(alias="to", pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")


class CalendarBody(Body):
    """When there is work."""

    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]
    hours: tuple[HoursBody, ...] = Field(min_length=1, max_length=50)
    holidays: tuple[Day, ...] = Field(default=(), max_length=1_000, description="Days without work.")

    @model_validator(mode="after")
    def _is_a_week(self) -> Self:
        try:
            week_of(self.written_hours())
        except ValueError as reason:
            raise ValueError(f"hours: {reason}") from None
        return self

    def written_hours(self) -> list[dict[str, Any]]:
        """Return the hours as they are kept."""
        return [hours.model_dump(mode="json", by_alias=True) for hours in self.hours]


class CalendarHoursView(View):
    """Work on some days of the week."""

    model_config = ConfigDict(serialize_by_alias=True)

    days: list[Weekday]
    opens: str = Field(alias="from")
    closes: str = Field(alias="to")


class CalendarView(View):
    """A calendar that deadlines count in."""

    code: str
    time_zone: str
    hours: list[CalendarHoursView]
    holidays: list[date]
    version: int
    changed_at: datetime
    changed_by: str

    @classmethod
    def of(cls, row: CalendarRow) -> Self:
        """Show a calendar."""
        hours = [CalendarHoursView.model_validate(dict(entry)) for entry in row.hours]
        shown = {name: getattr(row, name) for name in cls.model_fields}
        return cls(**{**shown, "hours": hours})


class WorkingTimeBody(Body):
    """So many hours or days of work, a year of them at most."""

    amount: int = Field(ge=1, le=_LONGEST[Unit.HOURS])
    unit: Unit

    @model_validator(mode="after")
    def _within_a_year(self) -> Self:
        if self.amount > _LONGEST[self.unit]:
            raise ValueError(f"amount: at most {_LONGEST[self.unit]} {self.unit}")
        return self

    def working_time(self) -> WorkingTime:
        """Return it."""
        return WorkingTime(self.amount, self.unit)


class StepBody(Body):
    """One step: so long after the start, or at the deadline when `after` is left out."""

    action: Action
    after: WorkingTimeBody | None = None
    times: int = Field(default=1, ge=1, le=9, description="So often, each `after` once more.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.action is Action.REMIND) != (self.after is not None):
            raise ValueError("after: a reminder needs it; escalation and breach come at the deadline")
        if self.action is not Action.REMIND and self.times != 1:
            raise ValueError("times: only a reminder comes more than once")
        return self

    def step(self) -> Step:
        """Return it."""
        return Step(self.action, None if self.after is None else self.after.working_time(), self.times)


class ProtocolBody(Body):
    """What starts the clock, who owes it, by when, and what happens on the way."""

    name: Name
    trigger: Trigger
    role: Literal["primary"] = Field(
        default="primary", description="Whoever covers the territory in it owes it."
    )
    due: WorkingTimeBody
    calendar_code: Code = "business"
    steps: tuple[StepBody, ...] = Field(max_length=9)
    active: bool = Field(default=True, description="False: no event starts it any more.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        actions = [step.action for step in self.steps if step.action is not Action.REMIND]
        if len(set(actions)) != len(actions):
            raise ValueError("steps: escalation and breach once each")
        if Action.BREACH not in actions:
            raise ValueError("steps: a breach at the deadline is missing")
        for step in self.steps:
            after = step.after
            if after is not None and after.unit is self.due.unit and after.amount >= self.due.amount:
                raise ValueError("steps: a reminder comes before the deadline")
        return self

    def content(self) -> ProtocolVersion:
        """Return what the version says."""
        return ProtocolVersion(
            name=self.name,
            trigger=self.trigger,
            role=self.role,
            due=self.due.working_time(),
            calendar_code=self.calendar_code,
            steps=tuple(step.step() for step in self.steps),
            active=self.active,
        )


class WorkingTimeView(View):
    """So many hours or days of work."""

    amount: int
    unit: Unit


class StepView(View):
    """One step; at the deadline when `after` is null."""

    action: Action
    after: WorkingTimeView | None
    times: int


class ProtocolView(View):
    """A version of a protocol."""

    code: str
    protocol_id: UUID
    version: int
    name: str
    trigger: Trigger
    duty: Duty
    role: str
    due: WorkingTimeView
    calendar_code: str
    steps: list[StepView]
    active: bool
    published_at: datetime
    published_by: str

    @classmethod
    def of(cls, row: ProtocolRow) -> Self:
        """Show a protocol."""
        content = row.content
        return cls(
            code=row.code,
            protocol_id=row.protocol_id,
            version=row.version,
            name=content.name,
            trigger=content.trigger,
            duty=content.duty,
            role=content.role,
            due=WorkingTimeView.model_validate(content.due),
            calendar_code=content.calendar_code,
            steps=[StepView.model_validate(step) for step in content.steps],
            active=content.active,
            published_at=row.published_at,
            published_by=row.published_by,
        )
