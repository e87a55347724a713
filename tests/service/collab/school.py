"""A school in collab: what the tests of training and certifications say and ask."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.collab.training.expiry.commands import NoticeExpiry, notice_expired, notice_expiring
from shared.contracts.assignment import AccountRegistered, CoverageStarted, RepRegistered
from shared.testing.frozen_clock import A_MONDAY
from tests.service.collab.conftest import NORTH, Collab

REP, OTHER_REP = UUID(int=0xA1), UUID(int=0xA2)
TODAY = A_MONDAY.date()


async def open_school(collab: Collab) -> Collab:
    """Have a certification of a year, and a live tree with a rep in the north and one who covers nothing."""
    await collab.go_live()
    await certify(collab, "health-basics", grace_days=30)
    await collab.feed(covers(REP, NORTH))
    await collab.feed(registered(OTHER_REP))
    return collab


def registered(rep: UUID, kind: type[RepRegistered] = RepRegistered) -> RepRegistered:
    return kind(rep_id=rep, languages=("en",), industries=(), need_kinds=())


def covers(rep: UUID, territory: UUID) -> CoverageStarted:
    return CoverageStarted(
        coverage_id=uuid4(),
        territory_id=territory,
        rep_id=rep,
        role="primary",
        share_percent=100,
        valid_from=A_MONDAY - timedelta(days=30),
    )


def account(account: UUID, industry: str, kind: type = AccountRegistered) -> AccountRegistered:
    nothing = dict.fromkeys(("postal_code", "county", "state", "employees"))
    return kind(account_id=account, external_id=str(account), industry=industry, **nothing)


async def certify(collab: Collab, code: str, **terms: Any) -> dict:
    body = {"certification_code": code, "name": code, "kind": "industry", "tag": "health"}
    body |= {"validity_months": 12, "renewal_window_days": 60, **terms}
    return await ok(collab, "POST", "/v1/certifications", body, 201)


async def programme(collab: Collab, **more: Any) -> dict:
    body = {
        "name": "Selling to clinics",
        "grants": "health-basics",
        "courses": [{"code": "privacy", "title": "Privacy", "mastery_score": 80}],
        **more,
    }
    return await ok(collab, "POST", "/v1/programmes", body, 201)


async def send(collab: Collab, method: str, path: str, body: Any = None, **caller: Any) -> httpx.Response:
    headers = collab.as_(*caller.pop("roles", ("admin",)), **caller)
    return await collab.http.request(method, path, json=body, headers=headers)


async def ok(collab: Collab, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await send(collab, method, path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def enrol(collab: Collab, programme: dict, rep: UUID = REP) -> dict:
    body = {"programme_id": programme["programme_id"], "rep_id": str(rep)}
    return await ok(collab, "POST", "/v1/enrolments", body, 201)


def told(enrolment: dict, *, score: float = 90, on: date = TODAY, course: str = "privacy") -> dict:
    return {
        "enrolment_id": enrolment["enrolment_id"],
        "course_code": course,
        "score": score,
        "completed_on": on.isoformat(),
    }


async def awards(collab: Collab, rep: UUID = REP) -> list[dict]:
    return (await ok(collab, "GET", f"/v1/awards?rep_id={rep}"))["items"]


async def announced(collab: Collab) -> list[str]:
    return [kind.split(".")[2] for kind, _ in await collab.outbox() if "certification" in kind]


async def notice(collab: Collab) -> tuple[int, int]:
    command = NoticeExpiry()
    return await collab.transact(notice_expiring, command), await collab.transact(notice_expired, command)


def terms() -> dict:
    return {"name": "x", "kind": "skill", "tag": "x", "validity_months": 1}


def of_nothing(award: dict) -> dict:
    return {**award, "certification_code": "none", "valid_from": TODAY.isoformat()}
