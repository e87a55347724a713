"""Goals over HTTP and in the worker: checked, activated, followed, told once, settled; attainment; scope."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from services.metrics.app import create_app
from services.metrics.coverages.commands import end_coverages, start_coverages
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.goals.commands.follow_goals import FollowGoals, follow_next_goal
from services.metrics.goals.commands.keep_goal import ActivateGoal, activate_goal
from services.metrics.settings import Settings
from shared.contracts.assignment import CoverageEnded, CoverageStarted
from shared.db.scope import EVERYWHERE
from shared.db.transact import Transactor
from shared.http.bootstrap import build_parts
from shared.testing.waiting import eventually
from tests.service.metrics.telling import fact, received, recorded, territory

EVERY = FollowGoals(every=timedelta(seconds=1))
_TOLD = text("SELECT seq, type, payload FROM outbox WHERE type LIKE 'metrics.goal.%' ORDER BY seq")


@pytest.fixture
async def api(database, clock, issuer, tmp_path):
    """A client of the whole api, on the clock of the test."""
    settings = Settings(
        environment="development", database_url=database.app_url, auth_jwks=issuer.write_jwks(tmp_path)
    )
    parts = build_parts(settings, service="metrics", clock=clock)
    transport = httpx.ASGITransport(create_app(parts), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:
        yield client
    await parts.engine.dispose()


def terms(**told):
    """Return a goal on the north's revenue of a year, smart unless told otherwise."""
    usual = {
        "title": "North",
        "metric_id": "revenue",
        "currency": "USD",
        "territory_id": str(territory("north")),
        "owner": "Ann",
        "objective": "Pay for the second van",
        "target": "365.00",
        "first_day": "2027-01-01",
        "end_day": "2028-01-01",
        "pacing": "linear",
    }
    return {**usual, **told}


@pytest.fixture
def call(api, organisation):
    """Call the api and return the answer, which must have the status."""

    async def call(method, path, body=None, *, status=200, headers=organisation, version=None):
        extra = {} if version is None else {"if-match": f'"{version}"'}
        answer = await api.request(method, path, json=body, headers={**headers, **extra})
        assert answer.status_code == status, answer.text
        return answer.json()

    return call


@pytest.fixture
def look(engine, clock):
    """Have the worker look at every goal on a day; return what it announced since the last time."""
    transact = Transactor(engine, clock, "/test/metrics")
    seen = set()

    async def look(day):
        clock.move_to(day)
        while await transact(follow_next_goal, EVERY):
            pass
        async with engine.connect() as connection:
            rows = (await connection.execute(_TOLD)).all()
        fresh = [(kind, payload) for seq, kind, payload in rows if seq not in seen]
        seen.update(seq for seq, _, _ in rows)
        return fresh

    return look


async def test_a_draft_says_what_is_missing_and_is_refused_until_it_is_mended(counted, call) -> None:
    vague = terms(owner=None, objective=None, currency=None)
    drafted = await call("POST", "/v1/goals", vague, status=201)
    assert {(f["letter"], f["code"]) for f in drafted["findings"]} == {
        ("S", "no-currency"),
        ("S", "no-owner"),
        ("M", "little-history"),
        ("R", "no-purpose"),
    }
    path = f"/v1/goals/{drafted['goal_id']}"
    refused = await call("POST", f"{path}/activations", status=422, version=1)
    assert refused["code"] == "goal-not-smart"
    assert "owner: name the one person who answers for it" in refused["detail"]
    assert (await call("GET", path))["state"] == "draft"

    assert (await call("PUT", path, terms(), version=1))["version"] == 2
    stale = await call("PUT", path, terms(), status=412, version=1)
    assert stale["code"] == "version-mismatch"
    assert (await call("POST", f"{path}/activations", version=2))["state"] == "active"
    assert (await call("PUT", path, terms(), status=409, version=3))["code"] == "goal-not-draft"
    assert (await call("POST", f"{path}/cancellations"))["state"] == "cancelled"
    assert (await call("POST", f"{path}/cancellations", status=409))["code"] == "goal-closed"


async def test_bad_input_names_the_field_and_keeps_nothing(counted, call) -> None:
    for wrong, field in (
        ({"target": "1e99"}, "target"),
        ({"target": "1e15"}, "target"),
        ({"first_day": "2027-02-30"}, "first_day"),
        ({"pacing": "leisurely"}, "pacing"),
        ({"metric_id": "Revenue!"}, "metric_id"),
    ):
        refused = await call("POST", "/v1/goals", terms(**wrong), status=422)
        assert any(field in error["pointer"] for error in refused["errors"]), refused
    nowhere = await call("POST", "/v1/goals", terms(territory_id=str(uuid4())), status=404)
    assert nowhere["detail"].startswith("territory_id")
    orphan = await call("POST", "/v1/goals", terms(parent_goal_id=str(uuid4())), status=404)
    assert orphan["detail"].startswith("parent_goal_id")
    assert (await call("GET", "/v1/goals"))["items"] == []


async def test_danger_and_recovery_are_told_once_and_the_end_settles(
    counted, call, look, transact, clock
) -> None:
    goal = await call("POST", "/v1/goals", terms(), status=201)
    path = f"/v1/goals/{goal['goal_id']}"
    await call("POST", f"{path}/activations", version=1)
    opening = clock.now().replace(year=2027, month=1, day=2)

    assert await look(opening) == []
    # Day 100 of 365 and nothing sold: 100.00 is due.
    (told,) = await look(opening.replace(month=4, day=11))
    assert told[0] == "metrics.goal.at-risk.v1"
    assert (told[1]["value_due"], told[1]["value"], told[1]["pace"]) == ("100.000000", "0", "0.000000")
    assert await look(opening.replace(month=4, day=12)) == []
    (listed,) = (await call("GET", "/v1/goals?at_risk=true"))["items"]
    assert listed["goal_id"] == goal["goal_id"]

    sold = opening.replace(month=4, day=12, hour=9)
    await transact(apply_facts, [recorded(fact("g1", amount="200.00", occurred_at=sold, created_at=sold))])
    (told,) = await look(opening.replace(month=4, day=13))
    assert (told[0], told[1]["value"]) == ("metrics.goal.recovered.v1", "200.00")

    more = opening.replace(month=12, day=31)
    assert await look(opening.replace(month=4, day=14)) == []
    clock.move_to(opening.replace(year=2028, day=1))
    # Sold on the last day, told on the next: nobody is judged before that is here.
    assert "metrics.goal.settled.v1" not in [
        kind for kind, _ in await look(opening.replace(year=2028, day=2))
    ]
    await transact(apply_facts, [recorded(fact("g2", amount="165.00", occurred_at=more, created_at=more))])
    told = (await look(opening.replace(year=2028, day=3)))[-1]
    assert (told[0], told[1]["outcome"], told[1]["value"]) == (
        "metrics.goal.settled.v1",
        "achieved",
        "365.00",
    )
    ended = await call("GET", path)
    assert (ended["state"], ended["settled_value"], ended["at_risk"]) == ("achieved", "365.00", False)
    assert await look(opening.replace(year=2028, day=4)) == []


async def test_a_cancelled_goal_is_in_no_danger(counted, call, look, clock) -> None:
    goal = await call("POST", "/v1/goals", terms(), status=201)
    path = f"/v1/goals/{goal['goal_id']}"
    await call("POST", f"{path}/activations", version=1)
    assert len(await look(clock.now().replace(year=2027, month=4, day=11))) == 1
    assert (await call("POST", f"{path}/cancellations"))["at_risk"] is False
    assert (await call("GET", "/v1/goals?at_risk=true"))["items"] == []
    (told,) = await look(clock.now())
    assert (told[0], told[1]["goal_id"]) == ("metrics.goal.cancelled.v1", goal["goal_id"])
    # A draft was told to nobody, and so is its end.
    draft = await call("POST", "/v1/goals", terms(), status=201)
    await call("POST", f"/v1/goals/{draft['goal_id']}/cancellations")
    assert await look(clock.now()) == []


async def test_goals_are_their_territorys(counted, call, northerner, issuer) -> None:
    goal = await call("POST", "/v1/goals", terms(), status=201)
    path = f"/v1/goals/{goal['goal_id']}"
    southern = issuer.headers("manager", territories=[territory("south")])
    northern = issuer.headers("manager", territories=[territory("north")])
    assert (await call("GET", path, headers=northern))["version"] == 1
    assert (await call("GET", "/v1/goals", headers=southern))["items"] == []
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"{path}/progress", None),
        ("PUT", path, terms()),
    ):
        await call(method, where, body, headers=southern, status=404, version=1)
    await call("POST", "/v1/goals", terms(), headers=southern, status=404)
    await call("POST", "/v1/goals", terms(), headers=northerner, status=403)


async def test_attainment_holds_revenue_against_the_goals_in_force(counted, call) -> None:
    """The north sold 110.00 USD in March 2026 against 365.00 for the year: 31 of its days are 31.00."""
    year = {"first_day": "2026-01-01", "end_day": "2027-01-01"}
    goal = await call("POST", "/v1/goals", terms(**year), status=201)
    # What is left of the year counts in the year's goal.
    rest = terms(
        first_day="2026-03-01", end_day="2027-01-01", parent_goal_id=goal["goal_id"], target="300.00"
    )
    part = await call("POST", "/v1/goals", rest, status=201)
    for one in (goal, part):
        await call("POST", f"/v1/goals/{one['goal_id']}/activations", version=1)

    asked = "/v1/metrics?metric_id=attainment&view=as_was&include=self"
    march = f"{asked}&from=2026-03-01&to=2026-04-01"
    (value,) = (await call("GET", f"{march}&territory_id={territory('north')}"))["totals"]
    assert (value["numerator"], value["denominator"], value["currency"]) == ("110.00", "31.00", "USD")
    (value,) = (await call("GET", f"{march}&territory_id={territory('n1')}"))["totals"]
    assert (value["value"], value["reason"]) == (None, "no-quota")


MARCH = "/v1/metrics?metric_id=attainment&view=as_was&include=self&from=2026-03-01&to=2026-04-01"
QUOTA_OF_2026 = {"first_day": "2026-01-01", "end_day": "2027-01-01"}


@pytest.fixture
def activate(call):
    """Draft a goal of 2026 and activate it; return it, or what was refused."""

    async def activate(status=200, **told):
        goal = await call("POST", "/v1/goals", terms(**{**QUOTA_OF_2026, **told}), status=201)
        answer = await call("POST", f"/v1/goals/{goal['goal_id']}/activations", status=status, version=1)
        return answer if status == 200 else {**answer, "goal_id": goal["goal_id"]}

    return activate


def failed(answer):
    """Return the codes of the findings that fail."""
    return {finding["code"] for finding in answer["findings"] if finding["severity"] == "fail"}


async def test_no_goal_is_its_own_parent_or_ancestor(counted, call) -> None:
    """Its purpose would be itself, and its target part of itself: the quota would be gone."""
    goal = await call("POST", "/v1/goals", terms(objective=None), status=201)
    path = f"/v1/goals/{goal['goal_id']}"
    own = terms(objective=None, parent_goal_id=goal["goal_id"])
    assert failed(await call("PUT", path, own, version=1)) == {"own-parent"}
    refused = await call("POST", f"{path}/activations", status=422, version=2)
    assert refused["code"] == "goal-not-smart"

    part = await call("POST", "/v1/goals", own, status=201)
    for parent in (part["goal_id"], goal["goal_id"]):
        drafted = await call("POST", "/v1/goals", terms(parent_goal_id=parent), status=201)
        assert "own-parent" not in failed(drafted)
    around = terms(parent_goal_id=part["goal_id"])
    assert failed(await call("PUT", path, around, version=2)) == {"own-parent"}
    assert failed(await call("GET", f"/v1/goals/{part['goal_id']}")) == {"own-parent"}


async def test_a_part_in_another_currency_is_refused_and_takes_no_quota_away(counted, call, activate) -> None:
    year = await activate()
    part = {"parent_goal_id": year["goal_id"], "currency": "JPY", "target": "365"}
    refused = await activate(status=422, **part)
    assert failed(refused) == {"other-currency"}
    await activate(**{**part, "parent_goal_id": None})
    totals = (await call("GET", f"{MARCH}&territory_id={territory('north')}"))["totals"]
    assert {v["currency"]: v["denominator"] for v in totals} == {"USD": "31.00", "JPY": "31"}


async def test_a_goal_serves_no_goal_that_was_given_up(counted, call, activate) -> None:
    year = await activate()
    await call("POST", f"/v1/goals/{year['goal_id']}/cancellations")
    refused = await activate(status=422, objective=None, parent_goal_id=year["goal_id"])
    assert failed(refused) == {"parent-not-running"}


async def test_a_territory_has_one_quota_a_day(counted, call, activate) -> None:
    """A stretch beside the goal, and a part of a part whose own goal was given up, leave the quota as it is."""
    year = await activate()
    refused = await activate(status=422, view="as_is", target="500.00")
    assert failed(refused) == {"second-quota"}
    assert year["goal_id"] in refused["detail"]
    await activate(stretch=True, target="500.00")
    half = await activate(first_day="2026-07-01", target="180.00", parent_goal_id=year["goal_id"])
    month = {"first_day": "2026-12-01", "target": "30.00", "parent_goal_id": half["goal_id"]}
    await activate(**month)
    await call("POST", f"/v1/goals/{half['goal_id']}/cancellations")
    december = MARCH.replace("2026-03-01", "2026-12-01").replace("2026-04-01", "2027-01-01")
    (value,) = (await call("GET", f"{december}&territory_id={territory('north')}"))["totals"]
    assert value["denominator"] == "31.00"
    # Other days, another currency or territory: another quota.
    await activate(first_day="2027-01-01", end_day="2028-01-01")
    await activate(currency="JPY", target="365")
    await activate(territory_id=str(territory("south")))


async def test_of_goals_activated_at_once_one_is_the_quota(counted, call, transact, engine) -> None:
    """Neither transaction sees the other's goal active, so the second one has to wait for the first."""
    first, second = [await call("POST", "/v1/goals", terms(), status=201) for _ in range(2)]
    done, go = asyncio.Event(), asyncio.Event()

    async def activate_and_hold(command, uow):
        await activate_goal(command, uow)
        done.set()
        await go.wait()

    holding = asyncio.create_task(
        transact(activate_and_hold, ActivateGoal(UUID(first["goal_id"]), 1, EVERYWHERE))
    )
    await done.wait()
    path = f"/v1/goals/{second['goal_id']}/activations"
    waiting = asyncio.create_task(call("POST", path, status=422))
    await eventually(lambda: is_waiting(engine))
    go.set()
    await holding
    assert failed(await waiting) == {"second-quota"}


async def is_waiting(engine):
    """Tell whether a session of this database waits for a lock."""
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with engine.connect() as connection:
        return (await connection.execute(text(query))).scalar()


async def test_attainment_by_rep_goes_by_the_days_a_rep_covers(counted, call, transact) -> None:
    """365.00 for the year is 1.00 a day: of March Ann has 9 days, Bob 20, and nobody two; the north is no rep's own."""
    year = {"first_day": "2026-01-01", "end_day": "2027-01-01"}
    for name in ("n1", "north"):
        told = terms(**year, territory_id=str(territory(name)))
        goal = await call("POST", "/v1/goals", told, status=201)
        await call("POST", f"/v1/goals/{goal['goal_id']}/activations", version=1)
    ann, bob, n1 = uuid4(), uuid4(), territory("n1")
    # Somebody who came an hour before Ann and stayed as long has no day: the later one counts.
    for rep, first, last in (
        (uuid4(), (2025, 1, 1, 8), (2026, 3, 10, 9)),
        (ann, (2025, 1, 1, 9), (2026, 3, 10, 9)),
        (bob, (2026, 3, 12, 9), (2026, 4, 1, 9)),
    ):
        since, until = (datetime(*moment, tzinfo=UTC) for moment in (first, last))
        coverage = uuid4()
        started = CoverageStarted(
            coverage_id=coverage, territory_id=n1, rep_id=rep, role="primary", share_percent=Decimal(100),
            valid_from=since,
        )  # fmt: skip
        ended = CoverageEnded(coverage_id=coverage, territory_id=n1, rep_id=rep, valid_to=until)
        await transact(start_coverages, [received(started)])
        await transact(end_coverages, [received(ended)])

    march = "/v1/metrics?metric_id=attainment&view=as_was&from=2026-03-01&to=2026-04-01"
    rows = (await call("GET", f"{march}&group_by=rep"))["rows"]
    quotas = {row["rep_id"]: {v["currency"]: v["denominator"] for v in row["values"]}["USD"] for row in rows}
    assert quotas == {str(ann): "9.00", str(bob): "20.00", None: "2.00"}
    (value,) = (await call("GET", f"{march}&rep_id={ann}"))["totals"]
    assert (value["denominator"], value["reason"]) == ("9.00", None)
    by_week = (await call("GET", f"{march}&rep_id={bob}&grain=week"))["rows"]
    assert sum(Decimal(row["values"][0]["denominator"]) for row in by_week) == Decimal("20.00")
