"""Consent and contact hours over HTTP: whether a customer may be contacted, and contacts that are refused."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.contacts.contactability import Reason
from services.collab.customers.contacts.queries import contactability_of
from shared.testing.frozen_clock import A_MONDAY
from tests.service.collab.conftest import Collab
from tests.service.collab.test_customers import account, get, of, post  # noqa: F401 - account is a fixture

TOKYO = {
    "name": "contact_hours",
    "value": {
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "from": "08:00",
        "to": "22:00",
        "time_zone": "Asia/Tokyo",
    },
}


async def consent(collab: Collab, account: UUID, status: int = 201, **body: Any) -> dict[str, Any]:  # noqa: F811
    return await post(collab, of(account, "/consents"), body, status)


async def ask(collab: Collab, account: UUID, **asked: Any) -> dict[str, Any]:  # noqa: F811
    asked = {"channel": "phone", "purpose": "service", **asked}
    return await get(collab, of(account, "/contactability"), **asked)


async def test_a_global_no_decides_over_a_yes_to_the_purpose(collab: Collab, account: UUID):  # noqa: F811
    await consent(collab, account, level="purpose", purpose="marketing", state="granted")
    yes = await ask(collab, account, purpose="marketing")
    assert (yes["decision"], yes["reason"], yes["level"]) == ("allow", "consent-granted", "purpose")
    no = await consent(collab, account, level="global", state="denied")
    denied = await ask(collab, account, purpose="marketing")
    assert (denied["decision"], denied["reason"], denied["level"]) == ("deny", "global-denied", "global")
    assert denied["consent_id"] == no["consent_id"]


async def test_a_no_to_the_contact_point_decides_over_a_yes_to_the_channel(
    collab: Collab,
    account: UUID,  # noqa: F811
):
    await consent(collab, account, level="channel", channel="phone", state="granted")
    await consent(collab, account, level="contact_point", contact_point="phone-7", state="denied")
    assert (await ask(collab, account))["decision"] == "allow"
    denied = await ask(collab, account, contact_point="phone-7")
    assert (denied["decision"], denied["reason"]) == ("deny", "contact-point-denied")


async def test_a_contact_point_that_got_a_yes_is_no_way_round_a_blocked_channel(
    collab: Collab,
    account: UUID,  # noqa: F811
):
    no = await consent(collab, account, level="channel", channel="phone", state="denied")
    await consent(collab, account, level="contact_point", contact_point="mail-1", state="granted")
    denied = await ask(collab, account, contact_point="mail-1")
    assert (denied["decision"], denied["reason"]) == ("deny", "channel-denied")
    call = {"kind": "made", "channel": "phone", "purpose": "sales", "contact_point": "mail-1"}
    refused = await post(collab, of(account, "/contacts"), call, 409)
    assert (refused["code"], refused["consent_id"]) == ("contact-refused", no["consent_id"])
    assert (await ask(collab, account, channel="email", contact_point="mail-1"))[
        "reason"
    ] == "consent-granted"


async def test_quiet_hours_are_the_customers(collab: Collab, account: UUID):  # noqa: F811
    await post(collab, of(account, "/preferences"), TOKYO)
    assert (await ask(collab, account, at="2026-11-23T12:59:00Z"))["decision"] == "allow"
    late = await ask(collab, account, at="2026-11-23T13:00:00Z")
    assert (late["decision"], late["reason"]) == ("deny", "outside-contact-hours")
    assert (late["local_at"], late["allowed_from"]) == ("2026-11-23T22:00:00+09:00", "2026-11-23T23:00:00Z")


async def test_a_sources_later_word_ends_its_earlier_one_and_history_stays(
    collab: Collab,
    account: UUID,  # noqa: F811
):
    phone = {"level": "channel", "channel": "phone"}
    await consent(collab, account, **phone, state="denied", effective_from="2026-01-01T00:00:00Z")
    await consent(collab, account, **phone, state="granted", effective_from="2026-06-01T00:00:00Z")
    for at, decision in (("2026-05-31T23:59:59Z", "deny"), ("2026-06-01T00:00:00Z", "allow")):
        assert (await ask(collab, account, at=at))["decision"] == decision
    # What another source says holds beside it: a no wins.
    await consent(collab, account, **phone, state="denied", source="rep")
    assert (await ask(collab, account))["reason"] == "channel-denied"
    rows = (await get(collab, of(account, "/consents")))["items"]
    assert [row["effective_to"] for row in rows] == ["2026-06-01T00:00:00Z", None, None]
    assert [row["in_force"] for row in rows] == [False, True, True]
    at = {"at": "2026-02-01T00:00:00Z"}
    assert len((await get(collab, of(account, "/consents"), **at))["items"]) == 1
    early = {"state": "granted", "effective_from": "2026-03-01T00:00:00Z"}
    assert (await consent(collab, account, 409, **phone, **early))["code"] == "consent-overlaps"
    told = [payload for kind, payload in await collab.outbox() if "consent" in kind]
    assert [(event["level"], event["channel"], event["state"]) for event in told] == [
        ("channel", "phone", "denied"),
        ("channel", "phone", "granted"),
        ("channel", "phone", "denied"),
    ]


async def test_a_yes_for_an_afternoon_does_not_lift_a_standing_no_for_good(
    collab: Collab,
    account: UUID,  # noqa: F811
):
    no = await consent(collab, account, level="global", state="denied", effective_from="2026-01-01T00:00:00Z")
    noon, evening = "2026-11-23T12:00:00Z", "2026-11-23T18:00:00Z"
    yes = {"level": "global", "state": "granted", "effective_from": noon}
    await consent(collab, account, **yes, effective_to=evening)
    for at, decision in (
        ("2026-11-23T11:59:59Z", "deny"),
        (noon, "allow"),
        ("2026-11-23T17:59:59Z", "allow"),
        (evening, "deny"),
        ("2030-01-01T00:00:00Z", "deny"),
    ):
        assert (await ask(collab, account, at=at))["decision"] == decision, at
    rows = (await get(collab, of(account, "/consents")))["items"]
    assert [(row["effective_from"], row["effective_to"], row["resumes"]) for row in rows] == [
        ("2026-01-01T00:00:00Z", noon, None),
        (noon, evening, None),
        (evening, None, no["consent_id"]),
    ]
    told = [payload for kind, payload in await collab.outbox() if "consent" in kind]
    assert [(event["state"], event["effective_from"]) for event in told[1:]] == [
        ("granted", noon),
        ("denied", evening),
    ]
    # A word without end, said meanwhile, is the last one: nothing resumes.
    await consent(collab, account, **{**yes, "effective_from": "2026-11-23T13:00:00Z"})
    assert (await ask(collab, account, at="2030-01-01T00:00:00Z"))["decision"] == "allow"
    rows = (await get(collab, of(account, "/consents")))["items"]
    assert [row["withdrawn_at"] is None for row in rows] == [True, True, False, True]


async def test_a_no_is_recorded_although_the_same_source_said_yes_for_later(
    collab: Collab,
    account: UUID,  # noqa: F811
):
    sms, new_year = {"level": "channel", "channel": "sms"}, "2027-01-01T00:00:00Z"
    yes = await consent(collab, account, **sms, state="granted", effective_from=new_year)
    await consent(collab, account, **sms, state="denied", effective_to="2026-12-31T00:00:00Z")
    assert (await ask(collab, account, channel="sms"))["reason"] == "channel-denied"
    assert (await ask(collab, account, channel="sms", at=new_year))["reason"] == "consent-granted"
    await consent(collab, account, **sms, state="denied")
    assert (await ask(collab, account, channel="sms", at=new_year))["reason"] == "channel-denied"
    rows = {row["consent_id"]: row for row in (await get(collab, of(account, "/consents")))["items"]}
    taken_back = rows[yes["consent_id"]]
    assert (taken_back["withdrawn_at"], taken_back["in_force"]) == ("2026-11-23T09:00:00Z", False)
    held = (await get(collab, of(account, "/consents"), at=new_year))["items"]
    assert [row["state"] for row in held] == ["denied"]


async def test_a_word_that_was_just_recorded_is_in_force(
    collab: Collab,
    account: UUID,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    """Time passes between the request and its transaction."""
    still = collab.clock.now

    def passing() -> datetime:
        collab.clock.advance(timedelta(microseconds=1))
        return still()

    monkeypatch.setattr(collab.clock, "now", passing)
    said = await consent(collab, account, level="global", state="denied")
    assert (said["in_force"], said["effective_from"]) == (True, said["recorded_at"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"level": "channel", "state": "denied"}, "invalid-request"),
        ({"level": "global", "channel": "sms", "state": "denied"}, "invalid-request"),
        (
            {"level": "global", "state": "denied", "effective_to": "2026-01-01T00:00:00Z"},
            "consent-ends-too-soon",
        ),
        ({"level": "global", "state": "maybe"}, "invalid-request"),
    ],
)
async def test_a_consent_that_says_nothing_clear_is_refused(
    collab: Collab,
    account: UUID,  # noqa: F811
    body: dict[str, Any],
    code: str,
):
    assert (await consent(collab, account, 422, **body))["code"] == code
    assert await collab.rows("SELECT 1 FROM consents") == []


async def test_a_contact_on_a_blocked_channel_is_refused_and_not_logged(collab: Collab, account: UUID):  # noqa: F811
    url = of(account, "/contacts")
    sms = {"kind": "planned", "channel": "sms", "purpose": "service"}
    logged = await post(collab, url, sms)
    assert (logged["reason"], logged["at"]) == ("not-objected", "2026-11-23T09:00:00Z")
    no = await consent(collab, account, level="channel", channel="sms", state="denied")
    refused = await post(collab, url, sms, 409)
    assert (refused["code"], refused["reason"]) == ("contact-refused", "channel-denied")
    assert refused["consent_id"] == no["consent_id"]
    await post(collab, url, {**sms, "channel": "email"})
    # What was made before the no was fine then; what lies ahead cannot have been made.
    await post(collab, url, {**sms, "kind": "made", "at": "2026-11-20T10:00:00Z"})
    ahead = await post(collab, url, {**sms, "kind": "made", "at": "2026-11-24T10:00:00Z"}, 422)
    assert ahead["code"] == "contact-ahead"
    await post(collab, of(account, "/preferences"), TOKYO)
    night = {"kind": "planned", "channel": "phone", "purpose": "service", "at": "2026-11-23T20:00:00Z"}
    refused = await post(collab, url, night, 409)
    assert (refused["reason"], refused["allowed_from"]) == (
        "outside-contact-hours",
        "2026-11-23T23:00:00+00:00",
    )
    logged_channels = [row["channel"] for row in (await get(collab, url))["items"]]
    assert logged_channels == ["sms", "email", "sms"]


async def test_a_contact_comes_before_a_no_or_after_it_never_in_between(collab: Collab, account: UUID):  # noqa: F811
    """Twenty contacts race a no: whatever was logged was logged before it."""
    headers = collab.as_("contributor")
    body = {"kind": "planned", "channel": "sms", "purpose": "service"}
    url = of(account, "/contacts")
    contacts = [collab.http.post(url, json=body, headers=headers) for _ in range(20)]
    no = consent(collab, account, level="channel", channel="sms", state="denied")
    *answers, _ = await asyncio.gather(*contacts[:10], *contacts[10:], no)
    versions = await collab.rows("SELECT version FROM customers")
    logged = sum(answer.status_code == 201 for answer in answers)
    assert {answer.status_code for answer in answers} <= {201, 409}
    # A refused contact leaves no trace, not even in the customer's version.
    assert versions == [(logged + 1,)]
    assert (await ask(collab, account, channel="sms"))["decision"] == "deny"


async def test_protocols_ask_without_a_caller(collab: Collab):
    stranger = uuid4()
    async with collab.engine.connect() as connection:
        verdict = await contactability_of(
            connection, stranger, channel=Channel.PHONE, purpose=Purpose.SERVICE, at=A_MONDAY
        )
    assert (verdict.allowed, verdict.reason) == (True, Reason.NOT_OBJECTED)
