"""Customer profiles over HTTP: needs, preferences, satisfaction, next steps; who sees them, what is announced."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.testing.frozen_clock import A_MONDAY
from tests.service.collab.conftest import EAST, NORTH, NORTH_CITY, SOUTH, Collab, aligned

REP = UUID(int=77)


@pytest.fixture
async def account(collab: Collab) -> UUID:
    """An account of the north."""
    found = uuid4()
    await collab.go_live()
    await collab.feed(aligned(found, None, NORTH, uuid4()))
    return found


def of(account: UUID, part: str = "") -> str:
    return f"/v1/accounts/{account}{part}"


async def post(collab: Collab, url: str, body: Any, status: int = 201, **headers: str) -> dict[str, Any]:
    answer = await collab.http.post(url, json=body, headers={**collab.as_("contributor"), **headers})
    assert answer.status_code == status, answer.text
    return answer.json()


async def get(collab: Collab, url: str, status: int = 200, **parameters: Any) -> dict[str, Any]:
    answer = await collab.http.get(url, params=parameters, headers=collab.as_("viewer"))
    assert answer.status_code == status, answer.text
    return answer.json()


async def add_need(collab: Collab, account: UUID, **fields: Any) -> dict[str, Any]:
    body = {"kind": "training", "text": "Their buyers want to learn it.", **fields}
    return await post(collab, of(account, "/needs"), body)


async def change(collab: Collab, need: dict[str, Any], **fields: Any) -> tuple[int, dict[str, Any]]:
    url = of(need["account_id"], f"/needs/{need['need_id']}")
    headers = {**collab.as_("contributor"), "if-match": f'"{need["version"]}"'}
    answer = await collab.http.patch(url, json=fields, headers=headers)
    return answer.status_code, answer.json()


async def test_a_need_goes_its_way_and_each_status_is_announced_without_a_word_of_text(
    collab: Collab, account: UUID
):
    need = await add_need(collab, account, due_on="2026-12-24", owner_rep_id=str(REP), source="customer")
    assert (need["status"], need["version"], need["age_days"], need["evidence"]) == ("open", 1, 0, [])
    assert (await change(collab, need, status="met"))[1]["code"] == "need-met-without-evidence"
    _, need = await change(collab, need, status="in_progress")
    url = of(account, f"/needs/{need['need_id']}")
    need = await post(collab, f"{url}/evidence", {"kind": "delivery", "text": "Two canary days of class."})
    assert (need["version"], need["evidence"][0]["text"]) == (3, "Two canary days of class.")
    status, need = await change(collab, need, status="met")
    assert (status, need["status"], need["closed_at"]) == (200, "met", "2026-11-23T09:00:00Z")
    assert (await change(collab, need, status="dropped", drop_reason="other"))[0] == 409
    assert await get(collab, url) == need
    outbox = await collab.outbox()
    assert [kind for kind, _ in outbox] == ["collab.customer.need-changed.v1"] * 3
    assert [payload["status"] for _, payload in outbox] == ["open", "in_progress", "met"]
    assert "canary" not in str(outbox)
    assert "buyers" not in str(outbox)


async def test_changes_of_a_need_take_its_version(collab: Collab, account: UUID):
    need = await add_need(collab, account)
    url = of(account, f"/needs/{need['need_id']}")
    headers = collab.as_("contributor")
    assert (await collab.http.patch(url, json={"text": "x"}, headers=headers)).status_code == 428
    answers = await asyncio.gather(*(change(collab, need, text=f"text {number}") for number in range(8)))
    assert sorted(status for status, _ in answers) == [200] + [412] * 7
    status, problem = await change(collab, {**need, "version": 2}, text=None)
    assert (status, problem["code"]) == (422, "invalid-request")
    status, after = await change(collab, {**need, "version": 2}, due_on="2027-01-01", owner_rep_id=None)
    assert (status, after["due_on"], after["owner_rep_id"]) == (200, "2027-01-01", None)


async def test_figures_of_a_period_that_ends_before_it_begins_are_refused(collab: Collab):
    period = {"from": "2027-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    refused = await get(collab, "/v1/satisfaction-figures", 422, **period)
    assert (refused["code"], refused["detail"][:23]) == ("period-ends-too-soon", "to: must lie after from")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "no-such-kind", "text": "x"}, "unknown-need-kind"),
        ({"kind": "training", "text": ""}, "invalid-request"),
        ({"kind": "training", "text": "x", "captured_at": "2026-11-23T09:00:01Z"}, "captured-ahead"),
        ({"kind": "training", "text": "x", "confidence_percent": 101}, "invalid-request"),
    ],
)
async def test_a_need_that_does_not_fit_is_refused_and_nothing_stays(
    collab: Collab, account: UUID, body: dict[str, Any], code: str
):
    refused = await post(collab, of(account, "/needs"), body, 422)
    assert refused["code"] == code
    assert refused["detail"]
    assert await collab.rows("SELECT 1 FROM needs UNION ALL SELECT 1 FROM customers") == []
    assert await collab.outbox() == []


async def test_the_vocabulary_is_managed_and_a_retired_kind_stays_where_it_is(collab: Collab, account: UUID):
    planner, url = collab.as_("manager"), "/v1/need-kinds/pilot"
    made = await collab.http.put(url, json={"title": "Try it first"}, headers=planner)
    assert (made.status_code, made.headers["etag"]) == (200, '"1"')
    need = await add_need(collab, account, kind="pilot")
    body = {"title": "Try it first", "retired": True}
    assert (await collab.http.put(url, json=body, headers=planner)).status_code == 428
    stale = await collab.http.put(url, json=body, headers={**planner, "if-match": '"9"'})
    assert stale.status_code == 412
    retired = await collab.http.put(url, json=body, headers={**planner, "if-match": '"1"'})
    assert retired.json()["version"] == 2
    refused = await post(collab, of(account, "/needs"), {"kind": "pilot", "text": "x"}, 422)
    assert refused["code"] == "unknown-need-kind"
    assert (await change(collab, need, status="in_progress"))[0] == 200
    in_use = [kind["code"] for kind in (await get(collab, "/v1/need-kinds"))["items"]]
    assert "pilot" not in in_use
    assert in_use == sorted(in_use)
    assert (await collab.http.put(url, json=body, headers=collab.as_("contributor"))).status_code == 403


async def test_a_need_without_an_owner_is_the_covering_reps(collab: Collab, account: UUID):
    from shared.contracts.assignment import CoverageStarted  # noqa: PLC0415 - only here

    await collab.feed(
        CoverageStarted(
            coverage_id=uuid4(),
            territory_id=NORTH,
            rep_id=REP,
            role="primary",
            share_percent="100",
            valid_from=A_MONDAY - timedelta(days=1),
        )
    )
    assert (await add_need(collab, account))["owner_rep_id"] == str(REP)


async def test_erasing_takes_the_text_from_everywhere_and_leaves_the_ids(collab: Collab, account: UUID):
    """From the tables and from the answers kept for retries: a retry gets its first answer, without the text."""
    first = {"idempotency-key": "first"}
    need = await post(collab, of(account, "/needs"), {"kind": "training", "text": "canary need"}, **first)
    url = of(account, f"/needs/{need['need_id']}")
    evidence = {"text": "canary evidence"}
    shown = await post(collab, f"{url}/evidence", evidence, **{"idempotency-key": "second"})
    entry = shown["evidence"][0]["evidence_id"]
    boss = collab.as_("manager")
    assert (await collab.http.delete(f"{url}/text", headers=collab.as_("contributor"))).status_code == 403
    gone = await collab.http.delete(f"{url}/text", headers=boss)
    assert (gone.status_code, gone.json()["text"]) == (200, None)
    assert gone.json()["evidence"][0]["text"] == "canary evidence"
    gone = await collab.http.delete(f"{url}/evidence/{entry}/text", headers=boss)
    assert (gone.json()["evidence"][0]["text"], gone.json()["evidence"][0]["evidence_id"]) == (None, entry)
    again = await post(collab, of(account, "/needs"), {"kind": "training", "text": "canary need"}, **first)
    assert (again["need_id"], again["text"]) == (need["need_id"], None)
    kept = await collab.rows("SELECT convert_from(response, 'UTF8') FROM idempotency_keys")
    everything = f"{kept} {await get(collab, url)} {await collab.rows('SELECT * FROM need_evidence')}"
    assert "canary" not in everything
    assert len(kept) == 2
    missing = await collab.http.delete(f"{url}/evidence/{uuid4()}/text", headers=boss)
    assert missing.status_code == 404


async def test_preferences_conflict_and_the_newest_of_the_most_trusted_source_holds(
    collab: Collab, account: UUID
):
    url = of(account, "/preferences")
    old = {"captured_at": "2025-11-23T09:00:00Z", "source": "customer"}
    await post(collab, url, {"name": "language", "value": "es", **old})
    await post(collab, url, {"name": "language", "value": "en", "source": "crm", "confidence_percent": 60})
    held = await post(collab, url, {"name": "channel", "value": ["phone", "email"]})
    assert held["resolution"] == "newest-of-most-trusted-source"
    channel, language = held["items"]
    assert (channel["name"], channel["value"]) == ("channel", ["phone", "email"])
    assert (language["value"], language["source"], language["age_days"]) == ("es", "customer", 365)
    assert (language["agreeing"], language["conflicting"], language["confidence_percent"]) == (0, 1, 100)
    assert await get(collab, url) == held
    told = await get(collab, of(account, "/preference-observations"), name="language")
    assert [item["value"] for item in told["items"]] == ["es", "en"]
    # The word of the crm changed nothing, so nothing was announced of it.
    events = [payload for _, payload in await collab.outbox()]
    assert [(event["language"], event["channels"]) for event in events] == [
        ("es", []),
        ("es", ["phone", "email"]),
    ]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "language", "value": "Spanish"}, "/language/value"),
        ({"name": "channel", "value": ["phone", "phone"]}, "/channel/value"),
        ({"name": "cadence", "value": {"every_days": 0}}, "/cadence/value/every_days"),
        (
            {
                "name": "contact_hours",
                "value": {"days": ["mon"], "from": "8:00", "to": "22:00", "time_zone": "Asia/Tokyo"},
            },
            "/contact_hours/value/from",
        ),
        (
            {
                "name": "contact_hours",
                "value": {"days": ["mon"], "from": "08:00", "to": "22:00", "time_zone": "Asia/Atlantis"},
            },
            "/contact_hours/value/time_zone",
        ),
        (
            {
                "name": "contact_hours",
                "value": {"days": ["mon"], "from": "08:00", "to": "22:00", "time_zone": "posixrules"},
            },
            "/contact_hours/value/time_zone",
        ),
        ({"name": "mood", "value": "good"}, "/name"),
        ({"value": "good"}, "/name"),
    ],
)
async def test_a_preference_that_does_not_read_is_refused_by_name(
    collab: Collab, account: UUID, body: dict[str, Any], where: str
):
    refused = await post(collab, of(account, "/preferences"), body, 422)
    assert [error["pointer"] for error in refused["errors"]] == [where]
    assert "PreferenceName" not in str(refused)
    if body.get("name") == "mood":
        assert refused["errors"][0]["detail"].endswith("channel, contact_hours, language, cadence")


async def test_scores_count_once_and_every_row_is_reported(collab: Collab, account: UUID):
    url = of(account, "/satisfaction-scores")
    scores = [
        {"external_id": f"s-{n}", "kind": "nps", "score": score, "answered_at": "2026-11-20T09:00:00Z"}
        for n, score in enumerate([10, 9, 7, 3])
    ]
    report = await post(collab, url, {"scores": [*scores, {"external_id": "s-9"}]}, 200)
    assert report["counts"] == {"recorded": 4, "invalid": 1}
    assert {error["pointer"] for error in report["items"][4]["errors"]} >= {"/scores/4/score"}
    changed = [scores[0], {**scores[1], "score": 1}]
    assert (await post(collab, url, {"scores": changed}, 200))["counts"] == {"duplicate": 1, "conflict": 1}
    reports = await asyncio.gather(
        *(post(collab, url, {"scores": [{**scores[0], "external_id": "s-race"}]}, 200) for _ in range(5))
    )
    assert sorted(one["items"][0]["status"] for one in reports) == ["duplicate"] * 4 + ["recorded"]
    assert len([kind for kind, _ in await collab.outbox() if "satisfaction" in kind]) == 5


async def test_nps_by_territory_sums_what_lies_below_and_has_a_reason_where_nobody_answered(
    collab: Collab, account: UUID
):
    city = uuid4()
    await collab.feed(aligned(city, None, NORTH_CITY, uuid4()))
    for where, values in ((account, [10, 9, 7]), (city, [3])):
        scores = [
            {"external_id": f"s-{n}", "kind": "nps", "score": score, "answered_at": "2026-11-20T09:00:00Z"}
            for n, score in enumerate(values)
        ]
        await post(collab, of(where, "/satisfaction-scores"), {"scores": scores}, 200)
    figures = {row["territory_id"]: row for row in (await get(collab, "/v1/satisfaction-figures"))["items"]}
    north, town, south = (figures[str(territory)] for territory in (NORTH, NORTH_CITY, SOUTH))
    assert north["nps"] == {"value": "25.0", "reason": None, "n": 4, "promoters": 2, "detractors": 1}
    assert town["nps"]["value"] == "-100.0"
    assert south["nps"] == {"value": None, "reason": "no-answers", "n": 0, "promoters": 0, "detractors": 0}
    assert north["csat"] == {"value": None, "reason": "no-answers", "n": 0, "satisfied": 0}
    later = await get(
        collab, "/v1/satisfaction-figures", territory_id=NORTH, **{"from": "2026-11-21T00:00:00Z"}
    )
    assert later["items"][0]["nps"]["n"] == 0
    mine = collab.as_("viewer", territories=[NORTH])
    seen = (await collab.http.get("/v1/satisfaction-figures", headers=mine)).json()["items"]
    assert {row["territory_id"] for row in seen} == {str(NORTH), str(NORTH_CITY)}
    other = await collab.http.get(f"/v1/satisfaction-figures?territory_id={SOUTH}", headers=mine)
    assert other.status_code == 404


async def test_next_steps_follow_from_what_is_known(collab: Collab, account: UUID):
    url = of(account, "/next-steps")
    assert [step["code"] for step in (await get(collab, url))["items"]] == ["consent-missing"]
    await add_need(collab, account, due_on="2026-11-20", owner_rep_id=str(REP))
    stale = {"name": "language", "value": "es", "captured_at": "2025-01-01T00:00:00Z"}
    await post(collab, of(account, "/preferences"), stale)
    low = {"external_id": "1", "kind": "csat", "score": 1, "answered_at": "2026-11-22T00:00:00Z"}
    await post(collab, of(account, "/satisfaction-scores"), {"scores": [low]}, 200)
    steps = (await get(collab, url))["items"]
    assert [(step["code"], step["about"], step["days"]) for step in steps] == [
        ("satisfaction-low", "csat", 1),
        ("need-overdue", "training", 3),
        ("need-owner-left", "training", None),
        ("consent-missing", None, None),
        ("preference-stale", "language", 691),
    ]
    await post(collab, of(account, "/consents"), {"level": "global", "state": "granted"})
    assert "consent-missing" not in [step["code"] for step in (await get(collab, url))["items"]]


PARTS = (
    "/profile",
    "/needs",
    "/preferences",
    "/preference-observations",
    "/consents",
    "/contacts",
    "/next-steps",
)


async def test_the_profile_moves_with_the_account_and_the_brief_carries_it_over(
    collab: Collab, account: UUID
):
    await add_need(collab, account)
    await post(collab, of(account, "/preferences"), {"name": "language", "value": "es"})
    await post(collab, of(account, "/consents"), {"level": "channel", "channel": "sms", "state": "denied"})
    north, south = (collab.as_("contributor", territories=[side]) for side in (NORTH, SOUTH))

    async def statuses(headers: dict[str, str]) -> set[int]:
        return {(await collab.http.get(of(account, part), headers=headers)).status_code for part in PARTS}

    assert (await statuses(north), await statuses(south)) == ({200}, {404})
    await collab.feed(aligned(account, NORTH, SOUTH, uuid4()), version=2)
    assert (await statuses(north), await statuses(south)) == ({404}, {200})
    refused = await collab.http.post(
        of(account, "/needs"), json={"kind": "training", "text": "x"}, headers=north
    )
    assert refused.status_code == 404

    (handoff,) = (await collab.http.get("/v1/handoffs", headers=south)).json()["items"]
    url = f"/v1/handoffs/{handoff['handoff_id']}"
    customer = (await collab.http.get(url, headers=south)).json()["brief"]["customer"]
    assert [need["kind"] for need in customer["needs"]] == ["training"]
    assert [held["value"] for held in customer["preferences"]] == ["es"]
    assert [(said["channel"], said["state"]) for said in customer["consents"]] == [("sms", "denied")]
    # language, fresh preferences, consent, needs; the need has neither an owner nor evidence.
    assert customer["completeness"]["score_percent"] == 40
    assert "contact_hours" in customer["completeness"]["missing"]
    # While the handoff is sent the outgoing side still owes it, and sees what it is to explain.
    assert (await collab.http.get(url, headers=north)).json()["brief"]["customer"] == customer
    await collab.http.post(f"{url}/rejections", json={"reason": "No."}, headers=south)
    assert (await collab.http.get(url, headers=north)).json()["brief"]["customer"] is None
    assert (await collab.http.get(url, headers=south)).json()["brief"]["customer"] is not None


async def test_who_has_not_the_account_cannot_write_any_part(collab: Collab, account: UUID):
    need = await add_need(collab, account)
    east = collab.as_("manager", territories=[EAST])
    bodies = {
        "/needs": {"kind": "training", "text": "x"},
        f"/needs/{need['need_id']}/evidence": {"text": "x"},
        "/preferences": {"name": "language", "value": "es"},
        "/consents": {"level": "global", "state": "granted"},
        "/contacts": {"kind": "planned", "channel": "email", "purpose": "service"},
        "/satisfaction-scores": {"scores": [{}]},
    }
    for part, body in bodies.items():
        answer = await collab.http.post(of(account, part), json=body, headers=east)
        assert answer.status_code == 404, part
    for part in ("text", f"evidence/{uuid4()}/text"):
        gone = await collab.http.delete(of(account, f"/needs/{need['need_id']}/{part}"), headers=east)
        assert gone.status_code == 404
    assert len(await collab.outbox()) == 1
