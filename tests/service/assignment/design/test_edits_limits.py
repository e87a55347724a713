"""When proposals are edited no more: their plan is no draft, they were edited too often, others edit; and what then is accepted."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from services.assignment.design.edits import units
from services.assignment.design.edits.commands.edit_proposal import MOST_EDITS
from shared.http import turns
from tests.service.assignment.design_editing import Editor, moves
from tests.service.assignment.designs import LEAVES, PATIENCE, RULES, TREE, Designs

pytestmark = pytest.mark.timeout(PATIENCE + 60)

FIRST, SECOND, THIRD, FOURTH = map(str, LEAVES.values())


async def _of(designs: Designs, run_id: str, territory: str) -> list[str]:
    """Return the accounts that go to a territory."""
    places = await designs.places(run_id)
    return [one for one in sorted(places) if places[one]["to_territory_id"] == territory]


async def test_what_no_draft_takes_over_is_edited_no_more(designs: Designs):
    run_id = (await designs.design())["run_id"]
    one, other = (await _of(designs, run_id, FIRST))[:2]
    editor = Editor(designs.assignment.http, run_id)
    await editor.move({one: SECOND})
    await editor.move({other: SECOND})
    await editor.step("edit-undoings")
    await designs.assignment.activate(designs.plan_id)
    seen = await designs.assignment.get(f"/v1/design-runs/{run_id}/proposal")
    for part in ("edits", "edit-undoings", "edit-redoings"):
        answer = await editor.ask(part, moves({one: THIRD}) if part == "edits" else None)
        assert (answer.status_code, answer.json()["code"]) == (409, "plan-not-draft")
    now = await designs.assignment.get(f"/v1/design-runs/{run_id}/proposal")
    assert {name: now[name] for name in now if name != "stale"} == {
        name: seen[name] for name in seen if name != "stale"
    }


async def test_edited_accounts_of_an_acceptance_are_those_that_were_placed(designs: Designs):
    assignment = designs.assignment
    run_id = (await designs.design())["run_id"]
    mine = (await _of(designs, run_id, FIRST))[:5]
    editor = Editor(assignment.http, run_id)
    await editor.move(dict.fromkeys(mine[:3], SECOND) | dict.fromkeys(mine[3:], THIRD))
    # The draft loses the second territory, and three of the five with it.
    kept = [one for one in RULES if one["territory_id"] != SECOND]
    tree = [one for one in TREE if one["territory_id"] != SECOND]
    await assignment.put(f"/v1/plans/{designs.plan_id}/rules", {"rules": kept}, version=1)
    await assignment.put(f"/v1/plans/{designs.plan_id}/territories", {"territories": tree}, version=2)
    answer = await assignment.http.post(
        f"/v1/design-runs/{run_id}/acceptances", json={}, headers={"if-match": '"3"'}
    )
    found = answer.json()
    assert found["rejected"] == len(await _of(designs, run_id, SECOND))
    assert (found["edited"], found["edit_version"]) == (2, 2)
    (event,) = await assignment.events("assignment.proposal.accepted.v1")
    assert (event["edited_accounts"], event["edit_version"]) == (2, 2)


async def test_a_proposal_takes_only_so_many_edits(designs: Designs):
    run_id = (await designs.design())["run_id"]
    one = (await _of(designs, run_id, FIRST))[0]
    editor = Editor(designs.assignment.http, run_id)
    # As if nearly all had been made and dropped.
    await designs.assignment.execute(
        """
        INSERT INTO design_edits (edit_id, run_id, number, state, accounts, territory_ids, made_by, made_at, changed_by,
                                  changed_at, before, after)
        VALUES (:edit_id, :run_id, :number, 'dropped', 1, '{}', 'boss', now(), 'boss', now(), 'null', 'null')
        """,
        edit_id=UUID(int=1),
        run_id=UUID(run_id),
        number=MOST_EDITS - 1,
    )
    assert (await editor.move({one: SECOND}))["number"] == MOST_EDITS
    refused = await editor.ask("edits", moves({one: THIRD}))
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-edits")
    # Steps back and forth keep nothing more.
    await editor.step("edit-undoings")
    await editor.step("edit-redoings")


async def test_who_waits_too_long_to_edit_is_told_so_and_holds_nothing(
    designs: Designs, monkeypatch: pytest.MonkeyPatch
):
    run_id = (await designs.design())["run_id"]
    one = (await _of(designs, run_id, FIRST))[0]
    editor = Editor(designs.assignment.http, run_id)
    taken: turns.Turns = designs.assignment.http._transport.app.state.edit_turns  # type: ignore[attr-defined]
    with monkeypatch.context() as impatient:
        impatient.setattr(turns, "PATIENCE_SECONDS", 0.05)
        async with taken.take(), taken.take():
            answer = await editor.ask("edits", moves({one: SECOND}))
    assert (answer.status_code, answer.json()["code"]) == (503, "edits-busy")
    assert answer.headers["retry-after"]
    await editor.move({one: SECOND})


async def test_arrays_are_made_beside_the_event_loop(designs: Designs, monkeypatch: pytest.MonkeyPatch):
    run_id = (await designs.design(contiguous=True))["run_id"]
    one = (await _of(designs, run_id, FIRST))[0]
    threads: dict[str, int] = {}

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def note(*given: Any) -> Any:
            threads[name] = threading.get_ident()
            return real(*given)

        return note

    monkeypatch.setattr(units, "_joined", noted("joined", units._joined))
    monkeypatch.setattr(units, "_pairs", noted("pairs", units._pairs))
    monkeypatch.setattr(units._Columns, "add", noted("add", units._Columns.add))
    await Editor(designs.assignment.http, run_id).move({one: SECOND})
    assert threads.keys() == {"joined", "pairs", "add"}
    assert threading.get_ident() not in threads.values()
