"""Accounts that single territories of a run may not have, whoever covers them."""

from typing import Any

import pytest

from tests.service.assignment.design_editing import Editor, moves
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
ACCOUNT = account_id(accounts()[0]["external_id"])


def _of(county: str) -> list[str]:
    return [account_id(one["external_id"]) for one in accounts() if one["county"] == county]


def _forbidden(**territories: list[str]) -> list[dict[str, Any]]:
    return [{"territory_id": one, "account_ids": account_ids} for one, account_ids in territories.items()]


async def test_forbidden_accounts_go_elsewhere_and_edits_are_held_to_it(designs: Designs):
    # In the midst of their territories: without it they would stay.
    counties = {str(territory): _of(county) for county, territory in LEAVES.items()}
    forbidden = _forbidden(**{FIRST: counties[FIRST][40:43], SECOND: counties[SECOND][40:42]})
    free = await designs.design(measures=ROUGHLY)
    proposal = await designs.design(measures=ROUGHLY, forbidden=forbidden)
    assert proposal["feasible"], proposal["why"]
    assert proposal["scenario"]["forbidden"] == 5
    before, places = await designs.places(free["run_id"]), await designs.places(proposal["run_id"])
    assert any(
        before[one]["to_territory_id"] == barred["territory_id"]
        for barred in forbidden
        for one in barred["account_ids"]
    )
    for barred in forbidden:
        for one in barred["account_ids"]:
            assert places[one]["to_territory_id"] != barred["territory_id"]
    told = await designs.assignment.get(f"/v1/design-runs/{proposal['run_id']}/forbidden-accounts")
    assert told["items"] == sorted(forbidden, key=lambda one: one["territory_id"])
    editor = Editor(designs.assignment.http, proposal["run_id"])
    account = forbidden[0]["account_ids"][0]
    answer = await editor.ask("edits", moves({account: FIRST}))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not-permitted")


async def test_a_pin_counts_first(designs: Designs):
    pin = {"territory_id": FIRST, "reason": "Board", "owner_subject": "boss"}
    await designs.assignment.put(f"/v1/plans/{designs.plan_id}/pins/{ACCOUNT}", pin, version=1)
    proposal = await designs.design(measures=ROUGHLY, forbidden=_forbidden(**{FIRST: [ACCOUNT]}))
    places = await designs.places(proposal["run_id"])
    assert places[ACCOUNT]["to_territory_id"] == FIRST


async def test_a_family_that_may_go_nowhere_fails_the_run_with_its_name(designs: Designs):
    one, other = _of("01001")[0], _of("01003")[0]
    run = await designs.ask(
        measures=ROUGHLY,
        families=[{"name": "Holding", "account_ids": [one, other]}],
        forbidden=_forbidden(**{FIRST: [one], SECOND: [one], THIRD: [other], FOURTH: [other]}),
    )
    async with designs.worker():
        ended = await designs.ended(run["run_id"])
    assert (ended["state"], ended["reason"]) == ("failed", "torn-group")
    assert "family Holding" in ended["detail"]


@pytest.mark.parametrize(
    ("forbidden", "says"),
    [
        (_forbidden(**{FIRST: [FIRST]}), f"{FIRST}: no such account"),
        (_forbidden(**{FIRST: []}), '"/forbidden/0/account_ids"'),
        (_forbidden(**{FIRST: [ACCOUNT, ACCOUNT]}), '"/forbidden"'),
        (_forbidden(**{FIRST: [ACCOUNT]}) * 2, '"/forbidden"'),
        (_forbidden(**{str(ROOT): [ACCOUNT]}), '"/forbidden/0/territory_id"'),
        (
            _forbidden(**{str(one): [ACCOUNT] for one in LEAVES.values()}),
            '"/forbidden/3/account_ids"',
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_with_the_field(
    designs: Designs, forbidden: list[dict[str, Any]], says: str
):
    answer = await designs.assignment.http.post(designs.runs, json={**EVEN, "forbidden": forbidden})
    assert answer.status_code == 422
    assert says in answer.text
