"""The state of an account says what its events say up to the same version, whatever happened."""

import json
from datetime import timedelta
from typing import Any

from services.assignment.accounts.states import ACCOUNT_STATE
from shared.contracts.assignment import ACCOUNTS, AlignedAccountState
from shared.contracts.identity import account_id_of
from shared.messaging.operations.republish import Progress, republish
from tests.service.assignment.conftest import CITY, NORTH, RULES, Assignment, county_rule
from tests.service.assignment.test_realignment import ACCOUNTS as FOUR
from tests.service.assignment.test_realignment import MOVED_RULES

_RECORDS = """
SELECT aggregateid, aggregateversion, type, CAST(payload AS text) FROM outbox
WHERE aggregatetype = :topic ORDER BY aggregateid, aggregateversion
"""
ATTRIBUTES = ("external_id", "postal_code", "county", "state", "industry", "employees")


async def records(assignment: Assignment, topic: str) -> list[tuple[Any, ...]]:
    return await assignment.rows(_RECORDS, topic=topic)


async def replayed(assignment: Assignment) -> dict[tuple[str, int], dict[str, Any]]:
    """Fold the events of every account, as a subscriber would; return what each version came to."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for key, version, wire_type, text in await records(assignment, ACCOUNTS):
        event = json.loads(text)
        before = found.get((key, version - 1), {"account_id": key, "territory_id": None, "valid_from": None})
        if wire_type == "assignment.account.aligned.v1":
            placed = event["to_territory_id"] is not None
            now = {
                "territory_id": event["to_territory_id"],
                "valid_from": event["valid_from"] if placed else None,
            }
        else:
            now = {name: event[name] for name in ATTRIBUTES}
        found[key, version] = before | now
    return found


async def states(assignment: Assignment) -> dict[tuple[str, int], AlignedAccountState]:
    return {
        (key, version): AlignedAccountState.model_validate_json(text)
        for key, version, _, text in await records(assignment, ACCOUNT_STATE.topic)
    }


async def agree(assignment: Assignment) -> dict[tuple[str, int], AlignedAccountState]:
    """Check that every state is its version of the events, and that the last version of each account has one."""
    told, written = await replayed(assignment), await states(assignment)
    assert {at: AlignedAccountState.model_validate(told[at]) for at in written} == written
    last = {key: max(version for k, version in told if k == key) for key, _ in told}
    assert set(last.items()) <= set(written)
    return written


async def test_imports_activations_and_rollbacks_are_told_as_states(assignment: Assignment) -> None:
    first = await assignment.live(*FOUR)
    assert len(await agree(assignment)) == 7  # four registrations, and three that found a territory
    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(await assignment.clone(first, MOVED_RULES))
    assert len(await agree(assignment)) == 9
    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(first)
    assignment.clock.advance(timedelta(days=1))
    # One moves to another county, one into a gap, one changes nothing that rules look at.
    await assignment.import_accounts(
        {"external_id": "city", "county": "02001", "employees": 7},
        {"external_id": "north", "county": "99999"},
        {"external_id": "south", "county": "02001", "industry": "541511"},
    )
    written = await agree(assignment)
    north = max(version for key, version in written if key == str(account_id_of("north")))
    assert written[str(account_id_of("north")), north].territory_id is None


async def test_a_change_of_the_rule_alone_leaves_since_when_an_account_belongs(
    assignment: Assignment,
) -> None:
    """It opens a new alignment, and is no move and no event."""
    first = await assignment.live(*FOUR)
    assignment.clock.advance(timedelta(days=1))
    other = {**county_rule(CITY, "01001"), "rule_id": "00000000-0000-7000-8000-00000000beef"}
    await assignment.activate(await assignment.clone(first, [other, *RULES[1:]]))
    assignment.clock.advance(timedelta(days=1))
    await assignment.import_accounts({"external_id": "city", "county": "01001", "employees": 9})
    written = await agree(assignment)
    key = str(account_id_of("city"))
    assert written[key, 3].employees == 9
    assert written[key, 3].valid_from == written[key, 2].valid_from


async def test_an_import_that_moves_an_account_tells_its_state_once(assignment: Assignment) -> None:
    await assignment.live(*FOUR)
    before = len(await states(assignment))
    await assignment.import_accounts({"external_id": "city", "county": "01003"})
    written = await agree(assignment)
    assert len(written) == before + 1
    last = written[str(account_id_of("city")), 4]
    assert (last.territory_id, last.county) == (NORTH, "01003")


_EMPTY = "DELETE FROM outbox"  # as the relay leaves it


async def test_republished_states_are_those_that_were_told(assignment: Assignment) -> None:
    """At the versions they have: readers that know them pass them over. Twice is as good as once."""
    await assignment.live(*FOUR)
    told = await agree(assignment)
    last = {key: max(version for k, version in told if k == key) for key, _ in told}
    await assignment.execute(_EMPTY)
    for written in (4, 0):
        steps = [step async for step in republish(assignment.engine, ACCOUNT_STATE, source="/test", batch=3)]
        assert steps[-1] == Progress(entities=4, written=written)
        assert [step.entities for step in steps] == [3, 4]
    assert await states(assignment) == {at: told[at] for at in last.items()}
