"""The balance of a plan: what territories would hold, how fairly, how far apart, who is wanted twice."""

from decimal import Decimal
from typing import Any

from shared.contracts.identity import account_id_of, rep_id_of
from tests.service.assignment.conftest import CITY, NORTH, ROOT, RULES, SOUTH, Assignment, county_rule

# Around the crossing of equator and prime meridian a degree is 111.195 km.
ACCOUNTS = [
    {"external_id": "c1", "county": "01001", "employees": 10, "latitude": 0, "longitude": -1},
    {"external_id": "c2", "county": "01001", "employees": 20, "latitude": 0, "longitude": 1},
    {"external_id": "c3", "county": "01001"},
    {"external_id": "n1", "county": "01003", "employees": 5, "latitude": 10, "longitude": 10},
    {"external_id": "s1", "county": "02001", "employees": 25},
    {"external_id": "s2", "county": "02001"},
    {"external_id": "lost", "county": "09999"},
]


async def _measures(assignment: Assignment, **revenue: str) -> None:
    for account, amount in revenue.items():
        await assignment.execute(
            "INSERT INTO account_measures (account_id, currency, trailing_revenue, open_pipeline, as_of)"
            " VALUES (:account_id, 'USD', :amount, 1, now())",
            account_id=account_id_of(account),
            amount=Decimal(amount),
        )


def _spread(balance: dict[str, Any], measure: str) -> dict[str, Any]:
    return next(one for one in balance["fairness"] if one["measure"] == measure)


async def test_a_balance_tells_what_territories_hold_and_how_fairly(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    await _measures(assignment, c1="100.00", c2="0.50", s1="300.00", lost="7.00")
    content = "external_id,name\nada,Ada\n"
    await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    await assignment.post("/v1/coverages", {"territory_id": str(SOUTH), "rep_id": str(rep_id_of("ada"))})
    balance = await assignment.get(f"/v1/plans/{plan_id}/balance")

    rows = {row["name"]: row for row in balance["territories"]}
    # The root holds nothing and has others below it; North holds an account of its own.
    assert {name: (row["accounts"], row["employees"]) for name, row in rows.items()} == {
        "City": (3, 30),
        "North": (1, 5),
        "South": (2, 25),
    }
    assert rows["City"]["revenue"] == [{"currency": "USD", "amount": "100.50"}]
    assert (balance["gaps"], balance["ties"], balance["vacancies"]) == (1, 0, 2)
    assert [name for name, row in rows.items() if not row["vacant"]] == ["South"]
    travel = rows["City"]["travel"]
    assert (travel["placed_accounts"], travel["latitude"], travel["longitude"]) == (2, 0, 0)
    assert (travel["mean_km"], travel["farthest_km"]) == (111.195, 111.195)
    assert rows["South"]["travel"]["mean_km"] is None

    accounts = _spread(balance, "accounts")
    # 1, 2, 3: the sum of differences is 8, by 2 * 9 * 2; P10 = 1.2 and P90 = 2.8.
    assert (accounts["gini"]["value"], accounts["p90_to_p10"]["value"]) == ("0.2222", "2.3333")
    assert (accounts["mean"], accounts["within_band"], accounts["highest_to_lowest"]["value"]) == (
        "2.0000",
        1,
        "3.0000",
    )
    revenue = _spread(balance, "revenue")
    assert (revenue["currency"], revenue["total"], revenue["territories"]) == ("USD", "400.50", 3)
    assert revenue["highest_to_lowest"] == {"value": None, "reason": "low_end_is_zero"}
    assert balance["disruption"]["moved"] == 0


async def test_a_draft_is_measured_against_what_is_live(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    await _measures(assignment, c1="100.00", s1="300.00")
    # North takes the city's county, too, ahead of it; the city still wants it.
    wider = county_rule(NORTH, "01001", position=5) | {"rule_id": str(ROOT)}
    clone_id = await assignment.clone(plan_id, [*RULES, wider])
    balance = await assignment.get(f"/v1/plans/{clone_id}/balance")
    assert balance["against_plan_id"] == plan_id
    assert (balance["overlapping_accounts"], balance["ties"]) == (3, 0)
    assert balance["overlaps"] == [{"territory_ids": sorted([str(NORTH), str(CITY)]), "accounts": 3}]
    assert balance["disruption"]["moved"] == 3
    assert balance["disruption"]["revenue"] == [{"currency": "USD", "moved": "100.00", "kept": "300.00"}]
    held = {row["name"]: row["accounts"] for row in balance["territories"]}
    # The city has nobody left, and is there to hold somebody.
    assert held == {"City": 0, "North": 4, "South": 2}
    # Held by hand, an account is in one place and no longer wanted by two.
    pin = {"territory_id": str(CITY), "reason": "knows the owner", "owner_subject": "chief"}
    await assignment.put(f"/v1/plans/{clone_id}/pins/{account_id_of('c1')}", pin, version=2)
    balance = await assignment.get(f"/v1/plans/{clone_id}/balance")
    assert (balance["overlapping_accounts"], balance["disruption"]["moved"]) == (2, 2)


async def test_a_balance_tells_how_well_those_who_cover_fit(assignment: Assignment) -> None:
    """Of two languages in one draft territory, the rep speaks one; whoever asks for nothing is not scored."""
    asking = [
        {**account, "industry": "retail"} if account["external_id"] != "c3" else account
        for account in ACCOUNTS
    ]
    plan_id = await assignment.live(*asking)
    for account, language in (("c1", "es"), ("s1", "es"), ("s2", "fr")):
        await assignment.execute(
            "INSERT INTO customer_traits (account_id, language) VALUES (:id, :language)",
            id=account_id_of(account),
            language=language,
        )
    content = "external_id,name,languages,industries\nada,Ada,es,retail\n"
    await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    for territory in (SOUTH, CITY):
        body = {"territory_id": str(territory), "rep_id": str(rep_id_of("ada"))}
        await assignment.post("/v1/coverages", body)
    balance = await assignment.get(f"/v1/plans/{plan_id}/balance")
    fits = {row["name"]: row["fit"] for row in balance["territories"]}
    # s1: all met, 100; s2: retail alone, 1 of 3 by weight, 33.
    assert fits["South"] == {
        "scored_accounts": 2,
        "unscored_accounts": 0,
        "mean_score": "66.50",
        "misfits": 1,
    }
    assert fits["City"] == {
        "scored_accounts": 2,
        "unscored_accounts": 1,
        "mean_score": "100.00",
        "misfits": 0,
    }
    assert fits["North"] == {"scored_accounts": 0, "unscored_accounts": 1, "mean_score": None, "misfits": 0}


async def test_a_caller_sees_the_balance_of_their_own_subtree(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    await _measures(assignment, c1="100.00", s1="300.00")
    answer = await assignment.http.get(
        f"/v1/plans/{plan_id}/balance", headers=assignment.caller("viewer", territories=[NORTH])
    )
    balance = answer.json()
    assert [row["name"] for row in balance["territories"]] == ["City", "North"]
    assert _spread(balance, "revenue")["total"] == "100.00"
    assert (balance["gaps"], balance["disruption"]["accounts"]) == (0, 4)
    unknown = await assignment.http.get(f"/v1/plans/{ROOT}/balance")
    assert unknown.status_code == 404


async def test_an_empty_draft_has_a_balance_without_values(assignment: Assignment) -> None:
    plan_id = (await assignment.post("/v1/plans", {"name": "Plan"}))["plan_id"]
    balance = await assignment.get(f"/v1/plans/{plan_id}/balance")
    assert balance["territories"] == []
    assert _spread(balance, "accounts")["gini"] == {"value": None, "reason": "no_territories"}
