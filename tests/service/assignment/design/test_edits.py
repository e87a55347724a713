"""Proposals edited by hand: figures counted again from all accounts, undone and redone, refused."""

import asyncio
from collections import Counter
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.assignment.design.own_process import Engines
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.design_editing import Editor, moves, recount
from tests.service.assignment.designs import LEAVES, PATIENCE, Designs, account_id, accounts, organisation

pytestmark = pytest.mark.timeout(PATIENCE + 60)

FIRST, SECOND, THIRD, FOURTH = TERRITORIES = tuple(map(str, LEAVES.values()))
MEASURES = [{"measure": "accounts", "tolerance": 0.1}, {"measure": "employees", "tolerance": 0.2}]
FIGURES = ("feasible", "mean_km", "cost", "gap", "moved_accounts", "moved_share", "edited_accounts")


async def _proposal(designs: Designs, run_id: str) -> dict[str, Any]:
    return await designs.assignment.get(f"/v1/design-runs/{run_id}/proposal")


async def _labels(designs: Designs, run_id: str) -> dict[str, str]:
    return {one: row["to_territory_id"] for one, row in (await designs.places(run_id)).items()}


async def _touching(designs: Designs, run_id: str) -> dict[str, set[str]]:
    """Return which accounts touch which, as the engine has kept it."""
    rows = await designs.assignment.rows(
        "SELECT unit, account_id, neighbours FROM design_proposal_units WHERE run_id = :run_id",
        run_id=UUID(run_id),
    )
    names = {row[0]: str(row[1]) for row in rows}
    return {names[unit]: {names[other] for other in others} for unit, _, others in rows}


@pytest.mark.parametrize("winding", [{}, {"01001": 3.0, "01005": 1.7, "01007": 1.25}])
async def test_figures_of_any_edits_are_those_of_all_accounts_and_undone_they_are_the_first(
    designs: Designs, winding: dict[str, float]
):
    """Where roads wind, too, by county."""
    regions = [{"factor": factor, "county": county} for county, factor in winding.items()]
    first = await designs.design(measures=MEASURES, road_factors={"regions": regions})
    roads = {account_id(one["external_id"]): winding.get(one["county"], 1.0) for one in accounts()}
    run_id = first["run_id"]
    touching, begun = await _touching(designs, run_id), await _labels(designs, run_id)
    recount(first, begun, touching, roads)
    editor, dice = Editor(designs.assignment.http, run_id), Random(3)
    labels, seen = dict(begun), [first]
    for size in (1, 1, 1, 20, 1, 60, 5):
        wanted = {one: dice.choice(TERRITORIES) for one in dice.sample(sorted(labels), size)}
        # Some are there already, and of one there has to be something to do.
        wanted = {one: place for one, place in wanted.items() if labels[one] != place} or {
            min(labels): next(place for place in TERRITORIES if place != labels[min(labels)])
        }
        edited = await editor.move(wanted)
        assert (edited["accounts"], edited["unchanged"], edited["number"]) == (len(wanted), 0, len(seen))
        touched = {labels[one] for one in wanted} | set(wanted.values())
        labels |= wanted
        proposal = await _proposal(designs, run_id)
        recount(proposal, labels, touching, roads)
        assert await _labels(designs, run_id) == labels
        assert proposal["edit_version"] == editor.version
        assert proposal["edited_accounts"] == sum(labels[one] != begun[one] for one in labels)
        assert proposal["gap"] is None or not proposal["edited_accounts"]
        for image, whole in ((edited["before"], seen[-1]), (edited["after"], proposal)):
            assert {name: image[name] for name in FIGURES} == {name: whole[name] for name in FIGURES}
            assert image["deviation"] == [one["deviation"] for one in whole["measures"]]
            assert {one["territory_id"] for one in image["territories"]} == touched
            told = {one["territory_id"]: one for one in whole["territories"]}
            for one in image["territories"]:
                assert one["loads"] == told[one["territory_id"]]["loads"]
                assert (one["parts"], one["mean_km"]) == tuple(
                    told[one["territory_id"]][name] for name in ("parts", "mean_km")
                )
        assert edited["after"]["why"] == proposal["why"]
        seen.append(proposal)
    assert {limit["code"] for limit in edited["after"]["why"]} >= {"territories-in-parts"}

    versions = {"edit_version"}
    for back in reversed(seen[:-1]):
        undone = await editor.step("edit-undoings")
        assert undone["state"] == "undone"
        proposal = await _proposal(designs, run_id)
        assert _without(proposal, versions) == _without(back, versions)
    assert await _labels(designs, run_id) == begun
    assert (await editor.ask("edit-undoings")).json()["code"] == "nothing-to-undo"
    for forth in seen[1:]:
        assert (await editor.step("edit-redoings"))["state"] == "applied"
        assert _without(await _proposal(designs, run_id), versions) == _without(forth, versions)
    assert await _labels(designs, run_id) == labels
    assert (await editor.ask("edit-redoings")).json()["code"] == "nothing-to-redo"


def _without(proposal: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in proposal.items() if name not in names}


async def test_edited_accounts_say_so_until_they_are_back_where_the_engine_would_have_them(designs: Designs):
    first = await designs.design(measures=MEASURES)
    run_id = first["run_id"]
    before = await designs.places(run_id)
    one = next(account for account, row in before.items() if row["to_territory_id"] == FIRST)
    editor = Editor(designs.assignment.http, run_id)
    await editor.move({one: SECOND})
    row = (await designs.places(run_id))[one]
    assert (row["to_territory_id"], row["proposed_territory_id"], row["reason"]) == (SECOND, FIRST, "hand")
    await editor.move({one: THIRD})
    row = (await designs.places(run_id))[one]
    assert (row["to_territory_id"], row["proposed_territory_id"], row["reason"]) == (THIRD, FIRST, "hand")
    back = await editor.move({one: FIRST})
    assert await designs.places(run_id) == before
    # The middles are the engine's own again, and so the bound says something, as all figures do.
    assert back["after"]["gap"] is not None
    _alike(await _proposal(designs, run_id) | {"edit_version": 1}, first)


def _alike(one: Any, other: Any) -> None:
    """See that two answers are the same to the last digits of their figures."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            _alike(one[name], other[name])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            _alike(mine, theirs)
    else:
        assert one == (pytest.approx(other, rel=1e-9, abs=1e-12) if isinstance(other, float) else other)


async def test_the_history_tells_who_did_what_and_what_is_undone(designs: Designs):
    http = designs.assignment.http
    run_id = (await designs.design(measures=MEASURES))["run_id"]
    labels = await _labels(designs, run_id)
    mine = [one for one in sorted(labels) if labels[one] == FIRST][:4]
    editor = Editor(http, run_id)
    for one, place in zip(mine[:3], (SECOND, THIRD, FOURTH), strict=True):
        await editor.move({one: place})
    for _ in range(2):
        await editor.step("edit-undoings")
    await editor.move({mine[3]: SECOND, mine[0]: FOURTH})
    # What was undone before another edit is gone for good.
    assert (await editor.ask("edit-redoings")).json()["code"] == "nothing-to-redo"
    path = f"/v1/design-runs/{run_id}/edits"
    rows = await designs.pages(path)
    assert [(one["number"], one["state"], one["accounts"]) for one in rows] == [
        (4, "applied", 2),
        (3, "dropped", 1),
        (2, "dropped", 1),
        (1, "applied", 1),
    ]
    # Of thousands of territories ids would be megabytes a page: they are the single edit's.
    assert [one["territories"] for one in rows] == [3, 2, 2, 2]
    assert not any("territory_ids" in one for one in rows)
    assert all(one["made_by"] and one["made_at"] for one in rows)
    assert [one["changed_by"] is None for one in rows] == [True, False, False, True]
    page = await designs.assignment.get(path, limit=3)
    rest = await designs.assignment.get(path, limit=3, cursor=page["next_cursor"])
    assert [one["number"] for one in (*page["items"], *rest["items"])] == [4, 3, 2, 1]
    shown = await designs.assignment.get(f"{path}/{rows[0]['edit_id']}")
    assert {
        one["account_id"]: (one["from_territory_id"], one["to_territory_id"]) for one in shown["moves"]
    } == {
        mine[3]: (FIRST, SECOND),
        mine[0]: (SECOND, FOURTH),
    }
    assert set(shown["territory_ids"]) == {FIRST, SECOND, FOURTH}
    kept = await designs.assignment.rows(
        "SELECT number FROM design_edits WHERE before <> 'null' AND after <> 'null' ORDER BY number"
    )
    assert [row[0] for row in kept] == [1, 4]
    viewer = designs.assignment.caller("viewer")
    told = (await http.get(path, headers=viewer)).json()["items"]
    assert {one["made_by"] for one in told} == {one["changed_by"] for one in told} == {None}
    assert (await http.get(f"{path}/{UUID(int=5)}")).status_code == 404


async def test_moves_that_may_not_be_made_are_told_row_by_row_and_none_is_made(designs: Designs):
    assignment = designs.assignment
    lost = {"external_id": "nowhere", "county": "01001", "name": "Nowhere"}
    await assignment.import_accounts(lost)
    run_id = (await designs.design(measures=MEASURES))["run_id"]
    labels = await _labels(designs, run_id)
    good, held, pinned = [one for one in sorted(labels) if labels[one] == FIRST][:3]
    pin = {"territory_id": FIRST, "reason": "Family", "owner_subject": "boss"}
    await assignment.put(f"/v1/plans/{designs.plan_id}/pins/{pinned}", pin, version=1)
    rows = [
        (good, SECOND),
        (good, THIRD),
        (str(UUID(int=77)), SECOND),
        (account_id("nowhere"), SECOND),
        (held, str(UUID(int=0x2FF))),
        (pinned, SECOND),
        (held, FIRST),
    ]
    editor = Editor(assignment.http, run_id)
    body = {"moves": [{"account_id": one, "territory_id": place} for one, place in rows]}
    answer = await editor.ask("edits", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-edit")
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
        ("/moves/1", "named-twice"),
        ("/moves/2", "unknown-account"),
        ("/moves/3", "takes-no-part"),
        ("/moves/4", "unknown-territory"),
        ("/moves/5", "pinned"),
        ("/moves/6", "named-twice"),
    ]
    assert await _labels(designs, run_id) == labels
    assert (await assignment.get(f"/v1/design-runs/{run_id}/edits"))["items"] == []
    there = await editor.ask("edits", moves({held: FIRST}))
    assert [one["code"] for one in there.json()["errors"]] == ["already-there"]
    passed = await editor.move({held: FIRST, good: SECOND})
    assert (passed["accounts"], passed["unchanged"]) == (1, 1)
    # Where the pin holds it, it may go.
    await assignment.execute(
        "UPDATE pins SET territory_id = :to WHERE account_id = :account",
        to=UUID(SECOND),
        account=UUID(pinned),
    )
    await editor.move({pinned: SECOND})
    for wrong in ({"moves": []}, moves({good: "x"}), {"moves": moves({good: FIRST})["moves"] * 1_001}, {}):
        assert (await editor.ask("edits", wrong)).json()["code"] == "invalid-request"


async def test_an_account_goes_only_where_the_engine_might_have_put_it(
    assignment: Assignment, engines: Engines
):
    """The scenario requires the language, which one territory brings, and travel begins half-way to where reps live."""
    plan_id = await organisation(assignment)
    reps = "external_id,name,languages\nana,Ana,es\nbob,Bob,en\n"
    await assignment.http.post("/v1/reps/imports", content=reps, headers={"content-type": "text/csv"})
    ids = {rep["external_id"]: rep["rep_id"] for rep in (await assignment.get("/v1/reps"))["items"]}
    for territory in TERRITORIES:
        cover = {
            "territory_id": territory,
            "rep_id": ids["ana" if territory in {FIRST, SECOND} else "bob"],
            "role": "primary",
            "share_percent": "100",
            "valid_from": assignment.clock.now().isoformat(),
        }
        await assignment.post("/v1/coverages", cover)
    spanish = account_id("d0")
    await assignment.execute(
        "INSERT INTO customer_traits (account_id, language) VALUES (:one, 'es')", one=UUID(spanish)
    )
    designs = Designs(assignment, engines, plan_id)
    homes = [
        {"territory_id": one, "latitude": 41.0, "longitude": -89.0 - k} for k, one in enumerate(TERRITORIES)
    ]
    first = await designs.design(required=["language"], measures=MEASURES, pull=0.5, homes=homes)
    run_id = first["run_id"]
    labels = await _labels(designs, run_id)
    assert labels[spanish] in {FIRST, SECOND}
    editor = Editor(assignment.http, run_id)
    refused = await editor.ask("edits", moves({spanish: THIRD}))
    assert [one["code"] for one in refused.json()["errors"]] == ["not-permitted"]
    other = next(one for one in sorted(labels) if labels[one] == FIRST and one != spanish)
    gone = await editor.move({spanish: FIRST if labels[spanish] == SECOND else SECOND, other: THIRD})
    assert gone["after"]["cost"] != first["cost"]
    # By hand to where all was before: another way to the same figures, homes included.
    await editor.move({spanish: labels[spanish]})
    back = await editor.move({other: FIRST})
    for name in ("cost", "mean_km", "gap", "moved_share"):
        assert back["after"][name] == pytest.approx(first[name])
    told = {one["territory_id"]: one for one in first["territories"]}
    for one in back["after"]["territories"]:
        for name in ("latitude", "longitude", "mean_km", "parts", "gained", "lost"):
            assert one[name] == pytest.approx(told[one["territory_id"]][name])


async def test_groups_that_are_parted_and_numbers_of_accounts_that_are_not_kept_are_told(designs: Designs):
    one, other = account_id("d0"), account_id("d1")
    first = await designs.design(
        measures=[{"measure": "accounts", "tolerance": 0.2}],
        families=[{"name": "Two", "account_ids": [one, other]}],
        accounts={"least": 90, "most": 110},
    )
    assert first["feasible"], first["why"]
    run_id = first["run_id"]
    labels = await _labels(designs, run_id)
    assert labels[one] == labels[other]
    away = next(place for place in TERRITORIES if place != labels[one])
    editor = Editor(designs.assignment.http, run_id)
    parted = (await editor.move({one: away}))["after"]
    (told,) = [limit for limit in parted["why"] if limit["code"] == "groups-apart"]
    assert (set(told["territory_ids"]), told["figure"]) == ({labels[one], away}, 1)
    joined = (await editor.move({other: away}))["after"]
    assert "groups-apart" not in {limit["code"] for limit in joined["why"]}
    await editor.move({one: labels[one]})
    await editor.move({other: labels[one]})
    _alike(await _proposal(designs, run_id) | {"edit_version": 1}, first)
    # Others follow until there are too many, and too few are left.
    mine = [account for account in sorted(labels) if labels[account] == labels[one]]
    crowded = (await editor.move(dict.fromkeys(mine, away)))["after"]
    told = {limit["code"]: limit["territory_ids"] for limit in crowded["why"]}
    assert (told["most-units"], told["least-units"]) == ([away], [labels[one]])
    # What one edit broke the next one leaves told.
    third = next(place for place in TERRITORIES if place not in {labels[one], away})
    stranger = next(account for account in sorted(labels) if labels[account] == third)
    later = (await editor.move({one: third, stranger: away}))["after"]
    told = {limit["code"]: limit["territory_ids"] for limit in later["why"]}
    assert (told["most-units"], told["least-units"]) == ([away], [labels[one]])
    assert set(told["groups-apart"]) == {third, away}
    for _ in range(6):
        await editor.step("edit-undoings")
    assert (await _proposal(designs, run_id))["why"] == []


async def test_who_may_not_and_what_is_not_there_is_refused(designs: Designs):
    assignment = designs.assignment
    run_id = (await designs.design(measures=MEASURES))["run_id"]
    waiting = Editor(assignment.http, (await designs.ask())["run_id"])
    one = min(await _labels(designs, run_id))
    body = moves({one: FOURTH})
    for part in ("edits", "edit-undoings", "edit-redoings"):
        sent = body if part == "edits" else None
        assert (await waiting.ask(part, sent)).json()["code"] == "design-run-without-proposal"
        assert (await Editor(assignment.http, str(UUID(int=9))).ask(part, sent)).status_code == 404
        for caller in (assignment.caller("viewer"), assignment.caller("contributor")):
            refused = await Editor(assignment.http, run_id).ask(part, sent, **caller)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        stale = await Editor(assignment.http, run_id, version=2).ask(part, sent)
        assert (stale.status_code, stale.json()["code"]) == (412, "version-mismatch")
        path = f"/v1/design-runs/{run_id}/{part}"
        assert (await assignment.http.post(path, json=sent)).status_code == 428
    narrow = assignment.caller("manager", territories=[LEAVES["01001"]])
    listed = await assignment.http.get(f"/v1/design-runs/{run_id}/edits", headers=narrow)
    assert listed.json()["code"] == "outside-scope"
    # As a worker of the release before keeps it.
    await assignment.execute("UPDATE design_proposals SET aligned_value = NULL")
    old = await Editor(assignment.http, run_id).ask("edits", body)
    assert (old.status_code, old.json()["code"]) == (409, "proposal-not-editable")


async def test_of_two_who_edit_at_once_one_is_told_to_read_again(designs: Designs):
    http = designs.assignment.http
    run_id = (await designs.design(measures=MEASURES))["run_id"]
    labels = await _labels(designs, run_id)
    mine = [one for one in sorted(labels) if labels[one] == FIRST][:8]
    answers = await asyncio.gather(*(Editor(http, run_id).ask("edits", moves({one: SECOND})) for one in mine))
    assert Counter(one.status_code for one in answers) == {201: 1, 412: 7}
    moved = {one for one, place in (await _labels(designs, run_id)).items() if place != labels[one]}
    (taken,) = (one for one, answer in zip(mine, answers, strict=True) if answer.status_code == 201)
    assert moved == {taken}
    # Who asks again under the same name is told what came of it the first time.
    editor = Editor(http, run_id, version=2)
    first, again = [
        await editor.ask("edits", moves({mine[-1]: THIRD}), **{"idempotency-key": "edit-1"}) for _ in range(2)
    ]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(await designs.pages(f"/v1/design-runs/{run_id}/edits")) == 2
