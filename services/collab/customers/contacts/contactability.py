"""May a customer be contacted: in this way, for this, at this moment? Pure.

A no decides, whichever level it is on: everything, the channel, the contact point, the purpose; a yes lifts no
no, neither on its own level nor on another. Marketing and surveys need a yes to the purpose or to everything.
The answer that a customer is owed may be given where they asked, whatever they said before.
Then the contact hours decide, on the customer's own clock.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.collab.customers.channel import OPT_IN, UNTIMED, Channel, Purpose
from services.collab.customers.consents.consent import (
    ConsentLevel,
    Statement,
    Target,
    statements_in_force,
)
from services.collab.customers.preferences.preference import WEEK, ContactHours

_QUARTER = timedelta(minutes=15)
_HORIZON = timedelta(days=9)


class Reason(StrEnum):
    """Why a contact is allowed or denied."""

    CONSENT_GRANTED = "consent-granted"
    NOT_OBJECTED = "not-objected"
    ANSWERS_CUSTOMER = "answers-customer"
    GLOBAL_DENIED = "global-denied"
    CHANNEL_DENIED = "channel-denied"
    CONTACT_POINT_DENIED = "contact-point-denied"
    PURPOSE_DENIED = "purpose-denied"
    CONSENT_MISSING = "consent-missing"
    OUTSIDE_CONTACT_HOURS = "outside-contact-hours"


ALLOWING = frozenset({Reason.CONSENT_GRANTED, Reason.NOT_OBJECTED, Reason.ANSWERS_CUSTOMER})

_DENIED_BY = {
    ConsentLevel.GLOBAL: Reason.GLOBAL_DENIED,
    ConsentLevel.CHANNEL: Reason.CHANNEL_DENIED,
    ConsentLevel.CONTACT_POINT: Reason.CONTACT_POINT_DENIED,
    ConsentLevel.PURPOSE: Reason.PURPOSE_DENIED,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A contact somebody wants to make, or made; `owed` tells that the customer asked there and waits for an answer."""

    channel: Channel
    purpose: Purpose
    at: datetime
    contact_point: str | None = None
    owed: bool = False

    @property
    def answers(self) -> bool:
        """Tell whether it is what the customer waits for: service, and nothing else beside."""
        return self.owed and self.purpose is Purpose.SERVICE


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a contact is allowed and why.

    `statement` is what decided, None when nothing was said. `local_at` is the moment on the customer's clock.
    `allowed_from` is when the contact hours next allow it; None when it is not the hours that deny it.
    """

    reason: Reason
    statement: Statement | None = None
    local_at: datetime | None = None
    allowed_from: datetime | None = None

    @property
    def allowed(self) -> bool:
        """Tell whether the contact may be made."""
        return self.reason in ALLOWING


def judge_contact(asked: Asked, statements: Iterable[Statement], hours: ContactHours | None) -> Verdict:
    """Return the verdict on a contact, from everything the customer said and prefers."""
    consent = _judge_consent(asked, statements_in_force(statements, asked.at))
    if asked.answers and not consent.allowed:
        consent = Verdict(Reason.ANSWERS_CUSTOMER)
    local_at = None if hours is None else asked.at.astimezone(ZoneInfo(hours.time_zone))
    if (
        consent.allowed
        and hours is not None
        and asked.channel not in UNTIMED
        and not is_open(hours, asked.at)
    ):
        return Verdict(Reason.OUTSIDE_CONTACT_HOURS, None, local_at, next_opening(hours, asked.at))
    return Verdict(consent.reason, consent.statement, local_at)


def _judge_consent(asked: Asked, in_force: list[Statement]) -> Verdict:
    everything = _say(in_force, Target(ConsentLevel.GLOBAL))
    channel = _say(in_force, Target(ConsentLevel.CHANNEL, channel=asked.channel))
    point = None
    # A contact point is a name without a channel: a yes to one cannot speak for the channel it is reached by.
    if asked.contact_point is not None:
        point = _say(in_force, Target(ConsentLevel.CONTACT_POINT, contact_point=asked.contact_point))
    what_for = _say(in_force, Target(ConsentLevel.PURPOSE, purpose=asked.purpose))
    for said in (everything, channel, point, what_for):
        if said is not None and said.denies:
            return Verdict(_DENIED_BY[said.target.level], said)
    if asked.purpose in OPT_IN and what_for is None and everything is None:
        return Verdict(Reason.CONSENT_MISSING)
    yes = what_for or point or channel or everything
    return Verdict(Reason.NOT_OBJECTED) if yes is None else Verdict(Reason.CONSENT_GRANTED, yes)


def _say(in_force: list[Statement], target: Target) -> Statement | None:
    """Return what is said of exactly this: a no if there is one, of several the first to be recorded."""
    said = [statement for statement in in_force if statement.target == target]
    return min(said, key=lambda one: (not one.denies, one.consent_id), default=None)


def is_open(hours: ContactHours, at: datetime) -> bool:
    """Tell whether a moment lies within the contact hours, on the customer's clock."""
    local = at.astimezone(ZoneInfo(hours.time_zone))
    wall = local.time().replace(tzinfo=None)
    today = WEEK[local.weekday()] in hours.days
    if hours.start == hours.end:
        return today
    if hours.start < hours.end:
        return today and hours.start <= wall < hours.end
    yesterday = WEEK[local.weekday() - 1] in hours.days
    return (today and wall >= hours.start) or (yesterday and wall < hours.end)


def next_opening(hours: ContactHours, at: datetime) -> datetime | None:
    """Return the first moment from `at` on within the contact hours; None if no week has one."""
    if is_open(hours, at):
        return at
    return next((moment for moment in sorted(_candidates(hours, at)) if is_open(hours, moment)), None)


def _candidates(hours: ContactHours, at: datetime) -> Iterator[datetime]:
    """Yield every moment at which a closed customer may open.

    That is where their clock reaches the start, either time if it shows that twice, or where it is put forward
    or back: always at a quarter of an hour.
    """
    zone = ZoneInfo(hours.time_zone)
    first = at.astimezone(zone).date()
    for days in range(_HORIZON.days + 1):
        for fold in (0, 1):
            local = datetime.combine(first + timedelta(days=days), hours.start, zone).replace(fold=fold)
            if (moment := local.astimezone(UTC)) > at:
                yield moment
    moment = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for _ in range(_HORIZON // _QUARTER):
        moment += _QUARTER
        if moment > at:
            yield moment
