"""What territories are held to beside balance: who stays together, how many accounts, and lines that nothing crosses."""

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

import pytest

from tests.service.assignment.designs import (
    EVEN,
    LEAVES,
    PATIENCE,
    ROOT,
    Designs,
    account_id,
    accounts,
)

pytestmark = pytest.mark.timeout(PATIENCE + 60)

FIRST, SECOND, THIRD, FOURTH = map(str, LEAVES.values())
ROUGHLY = [{"measure": "accounts", "tolerance": 0.3}]
# From beyond the southern accounts to beyond the northern ones.
RIVER = {"type": "LineString", "coordinates": [[-89, 39], [-88.99, 41], [-89, 43]]}


def _by(way: str) -> dict[Any, list[str]]:
    groups = defaultdict[Any, list[str]](list)
    for one in accounts():
        groups[one[way]].append(account_id(one["external_id"]))
    return groups


async def test_accounts_of_a_postal_code_go_to_one_territory(designs: Designs):
    proposal = await designs.design(measures=ROUGHLY, keep_together=["postal_code"])
    assert proposal["feasible"], proposal["why"]
    assert proposal["scenario"]["keep_together"] == ["postal_code"]
    places = await designs.places(proposal["run_id"])
    codes = _by("postal_code")
    for members in codes.values():
        assert len({places[one]["to_territory_id"] for one in members}) == 1
    assert proposal["kept_together"] == {
        "groups": len(codes),
        "accounts": 400,
        "largest": max(map(len, codes.values())),
        "parted": 0,
        "unmet": 0,
    }
    held = Counter(one["to_territory_id"] for one in places.values())
    for territory in proposal["territories"]:
        assert territory["accounts"] == territory["loads"][0]["load"] == held[territory["territory_id"]]
        assert abs(territory["loads"][0]["deviation"]) <= 0.3
        assert territory["parts"] == 1
    today = {account_id(one["external_id"]): str(LEAVES[one["county"]]) for one in accounts()}
    moved = {account for account, one in places.items() if one["to_territory_id"] != today[account]}
    assert (proposal["moved_accounts"], proposal["aligned_accounts"]) == (len(moved), 400)
    assert {account for account, one in places.items() if one["moved"]} == moved
    assert 0 < proposal["bound"] <= proposal["cost"]
    reasons = Counter(one["reason"] for one in places.values())
    assert reasons["together"] > 0
    assert all(one["why"] for one in places.values())


async def test_a_group_with_an_account_that_is_pinned_elsewhere_is_told_as_parted(designs: Designs):
    code, members = next(iter(_by("postal_code").items()))
    away, held = members[:2]
    pin = {"territory_id": str(ROOT), "reason": "Board", "owner_subject": "boss"}
    await designs.assignment.put(f"/v1/plans/{designs.plan_id}/pins/{away}", pin, version=1)
    pin = {"territory_id": FOURTH, "reason": "Family", "owner_subject": "boss"}
    await designs.assignment.put(f"/v1/plans/{designs.plan_id}/pins/{held}", pin, version=2)
    proposal = await designs.design(measures=ROUGHLY, keep_together=["postal_code"])
    assert proposal["left_out"]["pinned_elsewhere"] == 1
    assert proposal["kept_together"]["parted"] == 1
    assert proposal["kept_together"]["accounts"] == 399
    places = await designs.places(proposal["run_id"])
    # A pin holds all of its group, and each of them is told why it is there.
    assert {places[one]["to_territory_id"] for one in members[1:]} == {FOURTH}
    assert places[held]["reason"] == "fixed"
    assert {places[one]["reason"] for one in members[2:]} <= {"together", "nearest"}, code


async def test_families_go_to_one_territory_wherever_their_accounts_are(designs: Designs):
    """The four corners of the square: they are one piece, and their names come back."""
    corners = [
        account_id(
            min(
                accounts(),
                key=lambda one: abs(one["longitude"] - east) + abs(one["latitude"] - north),
            )["external_id"]
        )
        for east in (-90, -88)
        for north in (40, 42)
    ]
    families = [{"name": "Holding", "account_ids": corners}]
    proposal = await designs.design(measures=ROUGHLY, families=families)
    assert proposal["feasible"], proposal["why"]
    assert proposal["scenario"]["families"] == 1
    assert proposal["kept_together"] == {
        "groups": 1,
        "accounts": 4,
        "largest": 4,
        "parted": 0,
        "unmet": 0,
    }
    places = await designs.places(proposal["run_id"])
    assert len({places[one]["to_territory_id"] for one in corners}) == 1
    told = await designs.assignment.get(f"/v1/design-runs/{proposal['run_id']}/families")
    assert told == {"items": families}


async def test_any_wish_of_a_group_is_a_wish_of_all(designs: Designs):
    """One of a postal code wishes German; two of another wish German and French, which nobody brings together."""
    assignment = designs.assignment
    codes = _by("postal_code")
    german, torn = codes["10005"], codes["10010"]
    wishes = {german[0]: "de", torn[0]: "de", torn[1]: "fr"}
    for account, language in wishes.items():
        await assignment.execute(
            "INSERT INTO customer_traits (account_id, language) VALUES (:account_id, :language)",
            account_id=UUID(account),
            language=language,
        )
    report = await assignment.http.post(
        "/v1/reps/imports",
        content="external_id,name,languages\nann,Ann,de\nbob,Bob,fr\ncem,Cem,fr\ndan,Dan,fr\n",
        headers={"content-type": "text/csv"},
    )
    assert report.status_code == 200, report.text
    reps = {rep["external_id"]: rep["rep_id"] for rep in (await assignment.get("/v1/reps"))["items"]}
    for territory, rep in zip((FIRST, SECOND, THIRD, FOURTH), ("ann", "bob", "cem", "dan"), strict=True):
        await assignment.post(
            "/v1/coverages",
            {
                "territory_id": territory,
                "rep_id": reps[rep],
                "role": "primary",
                "share_percent": "100",
                "valid_from": assignment.clock.now().isoformat(),
            },
        )
    proposal = await designs.design(measures=ROUGHLY, keep_together=["postal_code"], required=["language"])
    places = await designs.places(proposal["run_id"])
    assert {places[one]["to_territory_id"] for one in german} == {FIRST}
    assert len({places[one]["to_territory_id"] for one in torn}) == 1
    assert proposal["kept_together"]["unmet"] == 1


async def test_what_a_group_moves_in_any_case_is_out_of_the_budget(designs: Designs):
    """Some postal codes lie in two territories today: whatever comes of them, some of their accounts move."""
    today = {account_id(one["external_id"]): one["county"] for one in accounts()}
    least = sum(
        len(members) - max(Counter(today[one] for one in members).values())
        for members in _by("postal_code").values()
    )
    assert least > 0
    proposal = await designs.design(
        measures=[{"measure": "accounts", "tolerance": 0.9}],
        keep_together=["postal_code"],
        disruption={"stay": 1, "most_moved": (least + 4) / 400},
    )
    assert least <= proposal["moved_accounts"] <= least + 4
    tight = await designs.design(
        measures=[{"measure": "accounts", "tolerance": 0.9}],
        keep_together=["postal_code"],
        disruption={"stay": 1, "most_moved": (least - 1) / 400},
    )
    assert not tight["feasible"]
    assert tight["moved_accounts"] >= least


async def test_pins_that_tear_a_group_apart_fail_the_run_with_its_name(designs: Designs):
    code, members = next(iter(_by("postal_code").items()))
    for version, (account, territory) in enumerate(zip(members, (FIRST, SECOND), strict=False), start=1):
        pin = {"territory_id": territory, "reason": "Family", "owner_subject": "boss"}
        await designs.assignment.put(f"/v1/plans/{designs.plan_id}/pins/{account}", pin, version=version)
    run = await designs.ask(measures=ROUGHLY, keep_together=["postal_code"])
    async with designs.worker():
        ended = await designs.ended(run["run_id"])
    assert (ended["state"], ended["reason"]) == ("failed", "torn-group")
    assert f"postal_code {code} has accounts pinned to Leaf 01001 and to Leaf 01003" in ended["detail"]


async def test_territories_keep_to_how_many_accounts_they_may_have(designs: Designs):
    """Employees are balanced roughly, and would have been with other numbers."""
    proposal = await designs.design(
        measures=[{"measure": "employees", "tolerance": 0.4}],
        accounts={
            "least": 80,
            "most": 120,
            "territories": [{"territory_id": FIRST, "least": 115}, {"territory_id": SECOND, "most": 85}],
        },
    )
    assert proposal["feasible"], proposal["why"]
    limits = {FIRST: (115, 120), SECOND: (80, 85), THIRD: (80, 120), FOURTH: (80, 120)}
    places = await designs.places(proposal["run_id"])
    held = Counter(one["to_territory_id"] for one in places.values())
    for territory in proposal["territories"]:
        least, most = limits[territory["territory_id"]]
        assert (territory["least_accounts"], territory["most_accounts"]) == (least, most)
        assert least <= held[territory["territory_id"]] == territory["accounts"] <= most
    told = await designs.assignment.get(f"/v1/design-runs/{proposal['run_id']}/territories")
    assert {
        one["territory_id"]: (one["least_accounts"], one["most_accounts"]) for one in told["items"]
    } == limits


async def test_sizes_count_accounts_where_they_are_kept_together(designs: Designs):
    """Some 25 accounts a postal code: six codes at most are more than 120 accounts and fewer than 7 units."""
    proposal = await designs.design(
        measures=[{"measure": "employees", "tolerance": 0.6}],
        keep_together=["postal_code"],
        accounts={"least": 60, "most": 130},
    )
    assert proposal["feasible"], proposal["why"]
    places = await designs.places(proposal["run_id"])
    held = Counter(one["to_territory_id"] for one in places.values())
    assert all(60 <= count <= 130 for count in held.values())
    assert len(held) == 4


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"least": 101}, "territories want 404 together at least, and 400 take part"),
        ({"most": 99}, "territories take 396 together at most, and 400 take part"),
        (
            {"most": 99, "territories": [{"territory_id": FIRST, "most": 100}]},
            "territories take 397 together at most, and 400 take part",
        ),
    ],
)
async def test_sizes_that_no_plan_can_have_fail_the_run(designs: Designs, asked: dict[str, Any], says: str):
    run = await designs.ask(accounts=asked)
    async with designs.worker():
        ended = await designs.ended(run["run_id"])
    assert (ended["state"], ended["reason"]) == ("failed", "impossible-sizes")
    assert says in ended["detail"]


async def test_no_territory_crosses_a_river(designs: Designs):
    proposal = await designs.design(measures=ROUGHLY, mode="greenfield", barriers=[RIVER])
    assert proposal["feasible"], proposal["why"]
    assert proposal["scenario"]["barriers"] == 1
    places = await designs.places(proposal["run_id"])
    sides = defaultdict[str, set[bool]](set)
    for one in accounts():
        # The river bends by less than where accounts are that near to it.
        if abs(one["longitude"] + 89) > 0.02:
            place = places[account_id(one["external_id"])]
            sides[place["to_territory_id"]].add(one["longitude"] > -89)
    assert len(sides) == 4
    assert all(len(found) == 1 for found in sides.values()), sides
    told = await designs.assignment.get(f"/v1/design-runs/{proposal['run_id']}/barriers")
    assert told == {"items": [RIVER]}
    # The same without it: something goes across, or the test tells nothing.
    free = await designs.design(measures=ROUGHLY, mode="greenfield", territory_ids=[FIRST, SECOND, THIRD])
    over = defaultdict[str, set[bool]](set)
    for one in accounts():
        if (place := (await _places(designs, free)).get(account_id(one["external_id"]))) is not None:
            over[place["to_territory_id"]].add(one["longitude"] > -89)
    assert any(len(found) == 2 for found in over.values())


async def _places(designs: Designs, proposal: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return await designs.places(proposal["run_id"])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"keep_together": ["family"]}, '"/keep_together/0"'),
        ({"keep_together": ["place", "place"]}, '"/keep_together"'),
        ({"families": [{"name": "One", "account_ids": [FIRST]}]}, f"{FIRST}: no such account"),
        ({"families": [{"name": "One", "account_ids": []}]}, '"/families/0/account_ids"'),
        ({"families": [{"name": "One", "account_ids": [FIRST, FIRST]}]}, '"/families"'),
        ({"families": [{"name": "One", "account_ids": [one]} for one in (FIRST, SECOND)]}, '"/families"'),
        ({"accounts": {"least": 0}}, '"/accounts/least"'),
        ({"accounts": {"least": 10**12}}, '"/accounts/least"'),
        ({"accounts": {"least": 1.5}}, '"/accounts/least"'),
        ({"accounts": {"least": 5, "most": 4}}, '"/accounts/most"'),
        ({"accounts": {"most": 9, "territories": [{"territory_id": FIRST, "least": 10}]}}, FIRST),
        ({"accounts": {"territories": [{"territory_id": FIRST}] * 2}}, '"/accounts/territories"'),
        ({"accounts": {"territories": [{"territory_id": str(ROOT), "most": 9}]}}, '"/accounts/territories"'),
        ({"barriers": [{"type": "Point", "coordinates": [1, 2]}]}, '"/barriers/0/type"'),
        ({"barriers": [{"type": "LineString", "coordinates": [[1, 2]]}]}, '"/barriers/0/coordinates"'),
        (
            {"barriers": [{"type": "LineString", "coordinates": [[1, 2], [181, 2]]}]},
            '"/barriers/0/coordinates/1"',
        ),
        (
            {"barriers": [{"type": "LineString", "coordinates": [[1, 2], [1, 91]]}]},
            '"/barriers/0/coordinates/1"',
        ),
        ({"barriers": [{"type": "LineString", "coordinates": [[1, 2], [1]]}]}, '"/barriers/0/coordinates/1"'),
        ({"barriers": [{"type": "LineString", "coordinates": [[1, 2]] * 11_000}] * 2}, "22,000 points"),
        ({"barriers": [RIVER], "contiguous": False}, '"/barriers"'),
        (
            {"barriers": [{"type": "LineString", "coordinates": [[179, 2], [-179, 2]]}]},
            "cut it at the 180th meridian",
        ),
    ],
)
async def test_limits_that_make_no_sense_are_refused_with_the_field(
    designs: Designs, asked: dict[str, Any], says: str
):
    answer = await designs.assignment.http.post(designs.runs, json={**EVEN, **asked})
    assert answer.status_code == 422, answer.text
    assert says in answer.text
    assert await designs.assignment.rows("SELECT count(*) FROM design_runs") == [(0,)]


async def test_odd_barriers_hold_up_nothing(designs: Designs):
    """Around the poles and the antimeridian, of no length, with altitudes, twice the same."""
    lines = [
        [[-180, -90], [180, 90]],
        [[179.9, 10], [180, 10]],
        [[10, 10], [10, 10]],
        [[-89.5, 40.2, 300], [-89.4, 40.2, 310]],
        [[-89.5, 40.2], [-89.4, 40.2]],
    ]
    barriers = [{"type": "LineString", "coordinates": line} for line in lines]
    proposal = await designs.design(measures=ROUGHLY, mode="greenfield", barriers=barriers)
    assert proposal["accounts"] == 400
    told = await designs.assignment.get(f"/v1/design-runs/{proposal['run_id']}/barriers")
    assert [one["coordinates"][0] for one in told["items"]] == [line[0][:2] for line in lines]
    assert (await designs.assignment.http.delete(f"/v1/design-runs/{proposal['run_id']}")).status_code == 204
    assert await designs.assignment.rows(
        "SELECT count(*) FROM design_run_barriers WHERE run_id = :run_id", run_id=UUID(proposal["run_id"])
    ) == [(0,)]
