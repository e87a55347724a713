"""Potential estimates as a caller meets them: asked for, made by the worker, read by account and by territory."""

import asyncio
import multiprocessing
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from services.assignment.potentials.commands.make_estimate import (
    LEASE,
    KeepEstimate,
    keep_estimate,
    take_estimate,
)
from services.assignment.potentials.own_process import TrainingEnded, train
from services.assignment.potentials.worker import make_estimates, make_next_estimate
from shared.contracts.identity import account_id_of
from shared.db.transact import Transactor
from shared.testing.waiting import eventually
from tests.service.assignment.conftest import NORTH, Assignment

ESTIMATES = "/v1/potential-estimates"
EVENT = "assignment.potential-estimate.completed.v1"
ASKED = {"measure": "revenue", "currency": "USD", "seed": 3}
PER_HEAD = {"Bank": 900, "Bakery": 60, "Clinic": 300}
KNOWN, PROSPECTS = 240, 60


@pytest.fixture
def transact(assignment: Assignment) -> Transactor:
    """What the worker's commands run through."""
    return Transactor(engine=assignment.engine, clock=assignment.clock, source="/demo/assignment")


def _accounts() -> list[dict[str, Any]]:
    dice = Random(11)
    return [
        {
            "external_id": f"a{number}",
            "county": ("01001", "02001")[number % 2],
            "state": ("AL", "AK")[number % 2],
            "industry": dice.choice(list(PER_HEAD)),
            "employees": dice.randint(5, 800),
            "latitude": (32.5, 61.2)[number % 2] + dice.random(),
            "longitude": (-86.6, -149.9)[number % 2] + dice.random(),
        }
        for number in range(KNOWN + PROSPECTS)
    ]


async def _know(assignment: Assignment, amounts: dict[str, Decimal], *, currency: str = "USD") -> None:
    await assignment.execute(
        "INSERT INTO account_measures (account_id, currency, trailing_revenue, open_pipeline, as_of)"
        " SELECT i.account_id, :currency, i.amount, 0, now()"
        " FROM unnest(CAST(:ids AS uuid[]), CAST(:amounts AS numeric[])) AS i (account_id, amount)",
        ids=[account_id_of(external_id) for external_id in amounts],
        currency=currency,
        amounts=list(amounts.values()),
    )


async def _learnable(assignment: Assignment) -> str:
    """Have a live plan and accounts whose revenue follows size and industry; return the plan's id."""
    accounts = _accounts()
    plan_id = await assignment.live(*accounts)
    dice = Random(12)
    await _know(
        assignment,
        {
            one["external_id"]: Decimal(one["employees"] * PER_HEAD[one["industry"]] * dice.randint(80, 120))
            / 100
            for one in accounts[:KNOWN]
        },
    )
    return plan_id


async def _estimate(assignment: Assignment, transact: Transactor, **asked: Any) -> dict[str, Any]:
    answer = await assignment.http.post(ESTIMATES, json={**ASKED, **asked})
    assert answer.status_code == 202, answer.text
    queued = answer.json()
    assert (queued["state"], queued["trial"], queued["method"]) == ("queued", None, None)
    assert await make_next_estimate(transact)
    assignment.clock.advance(timedelta(seconds=1))
    return await assignment.get(answer.headers["location"])


async def _pages(
    assignment: Assignment, path: str, headers: Any = None, **asked: Any
) -> list[dict[str, Any]]:
    rows, cursor = [], None
    while True:
        parameters = {"limit": 70, **asked, **({"cursor": cursor} if cursor else {})}
        answer = await assignment.http.get(path, params=parameters, headers=headers)
        assert answer.status_code == 200, answer.text
        rows += answer.json()["items"]
        if (cursor := answer.json()["next_cursor"]) is None:
            return rows


async def test_prospects_are_estimated_beside_what_is_known(assignment: Assignment, transact: Transactor):
    plan_id = await _learnable(assignment)
    measures = await assignment.rows("SELECT * FROM account_measures ORDER BY account_id")
    made = await _estimate(assignment, transact)
    assert (made["state"], made["known_accounts"], made["prospects"]) == ("completed", KNOWN, PROSPECTS)
    trial = made["trial"]
    assert (made["method"], trial["beats_baseline"]) == ("gradient_boosting", True)
    assert Decimal(trial["model"]["mean_absolute"]) < Decimal(trial["baseline"]["mean_absolute"])
    assert "beats the median of the industry" in trial["verdict"]
    assert trial["model"]["mean_absolute"] in trial["verdict"]
    assert {one["feature"] for one in trial["importance"]} == {"employees", "industry", "location"}

    path = f"{ESTIMATES}/{made['estimate_id']}/accounts"
    rows = await _pages(assignment, path)
    assert [row["account_id"] for row in rows] == sorted(str(account_id_of(f"a{n}")) for n in range(300))
    prospects = await _pages(assignment, path, known=False)
    assert len(prospects) == PROSPECTS
    assert all(row["known_amount"] is None and Decimal(row["estimated_amount"]) > 0 for row in prospects)
    assert len(await _pages(assignment, path, known=True)) == KNOWN
    assert await assignment.rows("SELECT * FROM account_measures ORDER BY account_id") == measures

    (event,) = await assignment.events(EVENT)
    assert (event["estimate_id"], event["method"]) == (made["estimate_id"], "gradient_boosting")
    assert event["model_error"] == trial["model"]["mean_absolute"]
    assert (event["known_accounts"], event["prospects"]) == (KNOWN, PROSPECTS)

    await _check_balance(assignment, plan_id, made["estimate_id"], rows)


async def _check_balance(
    assignment: Assignment, plan_id: str, estimate_id: str, rows: list[dict[str, Any]]
) -> None:
    balance = await assignment.get(f"/v1/plans/{plan_id}/balance", potential_estimate_id=estimate_id)
    spread = next(one for one in balance["fairness"] if one["measure"] == "potential")
    amounts = [Decimal(row["known_amount"] or row["estimated_amount"]) for row in rows]
    assert (spread["currency"], Decimal(spread["total"])) == ("USD", sum(amounts))
    held = {row["name"]: row["potential"] for row in balance["territories"]}
    assert sum(Decimal(one["amount"]) for of in held.values() for one in of) == sum(amounts)
    assert sorted(held) == ["City", "South"]
    without = await assignment.get(f"/v1/plans/{plan_id}/balance")
    assert all(one["measure"] != "potential" for one in without["fairness"])


async def test_a_model_that_does_not_beat_the_median_is_not_used(
    assignment: Assignment, transact: Transactor
):
    accounts = _accounts()
    await assignment.import_accounts(*accounts)
    dice = Random(5)
    await _know(assignment, {one["external_id"]: Decimal(dice.randint(1, 10**6)) for one in accounts[:KNOWN]})
    made = await _estimate(assignment, transact)
    assert (made["method"], made["trial"]["beats_baseline"]) == ("industry_median", False)
    assert "does not beat" in made["trial"]["verdict"]
    prospects = await _pages(assignment, f"{ESTIMATES}/{made['estimate_id']}/accounts", known=False)
    # One median per industry, and nothing of the model's.
    assert len({row["estimated_amount"] for row in prospects}) == len(PER_HEAD)


async def test_the_same_seed_gives_the_same_estimate(assignment: Assignment, transact: Transactor):
    await _learnable(assignment)
    one, two = [await _estimate(assignment, transact) for _ in range(2)]
    assert one["estimate_id"] != two["estimate_id"]
    for same in ("trial", "input_digest", "method"):
        assert one[same] == two[same]
    assert (await _estimate(assignment, transact, seed=4))["input_digest"] != one["input_digest"]
    listed = await _pages(assignment, ESTIMATES, limit=1)
    assert [row["seed"] for row in listed] == [4, 3, 3]


async def test_who_buys_in_another_currency_is_no_prospect(assignment: Assignment, transact: Transactor):
    await _learnable(assignment)
    await _know(assignment, {"a299": Decimal(5)}, currency="EUR")
    # Both currencies: known, once. Nothing left after refunds: a prospect.
    await _know(assignment, {"a0": Decimal(5)}, currency="EUR")
    await _know(assignment, {"a298": Decimal(-3)})
    made = await _estimate(assignment, transact)
    assert (made["known_accounts"], made["prospects"]) == (KNOWN, PROSPECTS - 1)


async def test_too_few_known_accounts_are_refused_with_what_there_is(assignment: Assignment):
    await _learnable(assignment)
    refused = await assignment.http.post(ESTIMATES, json={**ASKED, "currency": "EUR"})
    assert (refused.status_code, refused.json()["code"]) == (409, "too-few-known-accounts")
    assert refused.json()["detail"].startswith("currency: 0 accounts")
    assert "USD (240)" in refused.json()["detail"]
    refused = await assignment.http.post(ESTIMATES, json={**ASKED, "measure": "pipeline"})
    assert (refused.json()["known_accounts"], refused.json()["needed"]) == (0, 100)
    assert await assignment.rows("SELECT * FROM potential_estimates") == []


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"measure": "profit"}, "/measure"),
        ({"currency": "usd"}, "/currency"),
        ({"seed": -1}, "/seed"),
        ({"folds": 9}, "/folds"),
    ],
)
async def test_wrong_input_names_its_field(assignment: Assignment, wrong: dict[str, Any], pointer: str):
    refused = await assignment.http.post(ESTIMATES, json={**ASKED, **wrong})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert "measure" not in wrong or "'revenue' or 'pipeline'" in refused.json()["detail"]


async def test_one_estimate_of_a_measure_waits_and_has_no_amounts_yet(assignment: Assignment):
    plan_id = await _learnable(assignment)
    queued = await assignment.post(ESTIMATES, ASKED)
    again = await assignment.http.post(ESTIMATES, json=ASKED)
    assert (again.status_code, again.json()["code"]) == (409, "potential-estimate-queued")
    assert again.json()["estimate_id"] == queued["estimate_id"]
    for path, asked in (
        (f"{ESTIMATES}/{queued['estimate_id']}/accounts", {}),
        (f"/v1/plans/{plan_id}/balance", {"potential_estimate_id": queued["estimate_id"]}),
    ):
        early = await assignment.http.get(path, params=asked)
        assert (early.status_code, early.json()["code"]) == (409, "potential-estimate-not-completed")


async def test_who_may_ask_and_what_they_see(assignment: Assignment, transact: Transactor):
    await _learnable(assignment)
    for caller in (assignment.caller("viewer"), assignment.caller("manager", territories=[NORTH])):
        refused = await assignment.http.post(ESTIMATES, json=ASKED, headers=caller)
        assert refused.status_code == 403
    made = await _estimate(assignment, transact)
    one = f"{ESTIMATES}/{made['estimate_id']}"
    shown = (await assignment.http.get(one, headers=assignment.caller("viewer"))).json()
    assert shown["asked_by"] is None
    assert made["asked_by"] is not None
    within = assignment.caller("viewer", territories=[NORTH])
    assert (await assignment.http.get(one, headers=within)).status_code == 403
    # County 01001 is the city's, which lies in North: every second account.
    assert len(await _pages(assignment, f"{one}/accounts", headers=within)) == 150
    unknown = await assignment.http.get(f"{ESTIMATES}/{NORTH}/accounts", headers=within)
    assert unknown.status_code == 404


async def test_an_estimate_left_behind_is_taken_again_and_kept_once(
    assignment: Assignment, transact: Transactor
):
    await _learnable(assignment)
    await assignment.post(ESTIMATES, ASKED)
    left = await transact(take_estimate, LEASE)
    assert left is not None
    assert not await make_next_estimate(transact)
    assignment.clock.advance(LEASE)
    assert await make_next_estimate(transact)
    potentials = await train(left.companies, seed=left.seed)
    assert not await transact(keep_estimate, KeepEstimate(left, potentials))
    assert len(await assignment.events(EVENT)) == 1


async def test_measures_that_went_away_meanwhile_fail_the_estimate(
    assignment: Assignment, transact: Transactor
):
    await _learnable(assignment)
    queued = await assignment.post(ESTIMATES, ASKED)
    await assignment.execute("DELETE FROM account_measures")
    assert await make_next_estimate(transact)
    failed = await assignment.get(f"{ESTIMATES}/{queued['estimate_id']}")
    assert (failed["state"], failed["reason"]) == ("failed", "too-few-known-accounts")
    assert await assignment.events(EVENT) == []


async def test_training_that_fails_says_so(assignment: Assignment, transact: Transactor):
    await _learnable(assignment)
    await assignment.post(ESTIMATES, ASKED)
    taken = await transact(take_estimate, LEASE)
    assert taken is not None
    with pytest.raises(TrainingEnded):
        # One account fills no five folds.
        await train(taken.companies[:1], seed=1)


async def test_the_worker_makes_what_waits_and_leaves_at_once(assignment: Assignment, transact: Transactor):
    await _learnable(assignment)
    queued = await assignment.post(ESTIMATES, ASKED)
    stopping = asyncio.Event()
    worker = asyncio.create_task(make_estimates(transact, stopping))

    async def completed() -> bool:
        return (await assignment.get(f"{ESTIMATES}/{queued['estimate_id']}"))["state"] == "completed"

    await eventually(completed)
    stopping.set()
    await asyncio.wait_for(worker, 5)


async def test_a_worker_told_to_stop_drops_the_training_under_way(
    assignment: Assignment, transact: Transactor
):
    await _learnable(assignment)
    queued = await assignment.post(ESTIMATES, ASKED)
    stopping = asyncio.Event()
    worker = asyncio.create_task(make_estimates(transact, stopping))
    # Importing what training needs takes longer than noticing that it began.
    await eventually(multiprocessing.active_children)
    stopping.set()
    await asyncio.wait_for(worker, 5)
    await eventually(lambda: not multiprocessing.active_children())
    assert (await assignment.get(f"{ESTIMATES}/{queued['estimate_id']}"))["state"] == "queued"
