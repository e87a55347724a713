"""Coverage in the shape of Salesforce: every role, shares and periods, out and in, row by row."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from tests.service.assignment.conftest import Assignment
from tests.service.assignment.crm_documents import (
    DOCUMENT,
    SALESFORCE,
    counts,
    export_document,
    import_document,
)


async def test_a_coverage_whose_end_is_known_runs_like_any_other(assignment: Assignment):
    """It goes out, makes its rep the owner, and is unchanged when it comes in again."""
    plan_id = (await import_document(assignment, DOCUMENT))["plan_id"]
    await assignment.activate(plan_id)
    assignment.clock.advance(timedelta(days=1))
    for one in (await assignment.get("/v1/coverages"))["items"]:
        until = (assignment.clock.now() + timedelta(days=10)).isoformat()
        await assignment.post(f"/v1/coverages/{one['coverage_id']}/endings", {"valid_to": until})
    exported = await export_document(assignment, plan_id)
    assert {one["UserId"] for one in exported["UserTerritory2Association"]} == {"005A", "005B"}
    assert {one["OwnerId"] for one in exported["Account"]} == {"005A", "005B", None}
    again = await import_document(assignment, exported)
    assert (again["errors"], counts(again, "changed"), counts(again, "created")) == ([], {}, {})
    assignment.clock.advance(timedelta(days=10))
    ended = await export_document(assignment, plan_id)
    assert ended["UserTerritory2Association"] == []


COVERING: list[dict[str, Any]] = [
    {"UserId": "005A", "Territory2Id": "0MI1", "RoleInTerritory2": "Owner", "Bailiwick_Role__c": "Primary"},
    {"UserId": "005B", "Territory2Id": "0MI1", "RoleInTerritory2": "Backup", "Bailiwick_Share__c": None},
    {"UserId": "005A", "Territory2Id": "0MI1", "RoleInTerritory2": "Overlay", "Bailiwick_Share__c": 60.5},
    {"UserId": "005B", "Territory2Id": "0MI1", "RoleInTerritory2": "overlay", "Bailiwick_Share__c": "39.5"},
    {
        "UserId": "005B",
        "Territory2Id": "0MI1",
        "RoleInTerritory2": "holdover",
        "Bailiwick_ValidTo__c": "2027-06-01T00:00:00.000+0000",
    },
]


async def _cover(assignment: Assignment, *rows: dict[str, Any]) -> tuple[dict[str, int], list[Any]]:
    """Import coverages; return what became of how many, and of those refused row, field and code."""
    answer = await import_document(assignment, {"UserTerritory2Association": list(rows)})
    (tally,) = (one for one in answer["objects"] if one["object"] == "UserTerritory2Association")
    outcomes = {name: tally[name] for name in ("created", "changed", "unchanged", "rejected") if tally[name]}
    return outcomes, sorted((one["row"], one["field"], one["code"]) for one in answer["errors"])


async def _running(assignment: Assignment, plan_id: str, role: str) -> dict[str, tuple[float, str | None]]:
    exported = (await assignment.get(f"{SALESFORCE}/plans/{plan_id}"))["UserTerritory2Association"]
    return {
        one["UserId"]: (one["Bailiwick_Share__c"], one["Bailiwick_ValidTo__c"])
        for one in exported
        if one["RoleInTerritory2"] == role
    }


async def test_coverage_goes_out_and_in_with_role_share_and_period(
    assignment: Assignment, elsewhere: Assignment
):
    plan_id = (await import_document(assignment, {**DOCUMENT, "UserTerritory2Association": COVERING}))[
        "plan_id"
    ]
    assignment.clock.advance(timedelta(days=1))
    exported = await export_document(assignment, plan_id)
    covering = exported["UserTerritory2Association"]
    assert [(one["RoleInTerritory2"], one["UserId"], one["Bailiwick_Share__c"]) for one in covering] == [
        ("backup", "005B", 100),
        ("holdover", "005B", 100),
        ("overlay", covering[2]["UserId"], covering[2]["Bailiwick_Share__c"]),
        ("overlay", covering[3]["UserId"], covering[3]["Bailiwick_Share__c"]),
        ("primary", "005A", 100),
    ]
    assert await _running(assignment, plan_id, "overlay") == {"005A": (60.5, None), "005B": (39.5, None)}
    assert covering[1]["Bailiwick_ValidTo__c"] == "2027-06-01T00:00:00+00:00"
    taken = await import_document(elsewhere, exported)
    assert (taken["errors"], counts(taken, "created")["UserTerritory2Association"]) == ([], 5)
    assert (await export_document(elsewhere, plan_id)) == exported
    for there in (assignment, elsewhere):
        assert await _cover(there, *covering) == ({"unchanged": 5}, [])


@pytest.mark.parametrize("order", [1, -1])
async def test_shares_and_ends_that_are_told_otherwise_are_changed_once(assignment: Assignment, order: int):
    """Who gives some back comes first, in whatever order the rows stand."""
    plan_id = (await import_document(assignment, {**DOCUMENT, "UserTerritory2Association": COVERING}))[
        "plan_id"
    ]
    assignment.clock.advance(timedelta(days=1))
    row = {"Territory2Id": "0MI1", "RoleInTerritory2": "Overlay"}
    swapped = [
        {**row, "UserId": "005A", "Bailiwick_Share__c": 39.5},
        {**row, "UserId": "005B", "Bailiwick_Share__c": 60.5},
    ][::order]
    assert await _cover(assignment, *swapped) == ({"changed": 2}, [])
    assignment.clock.advance(timedelta(days=1))
    assert await _cover(assignment, *swapped) == ({"unchanged": 2}, [])
    assert await _running(assignment, plan_id, "overlay") == {"005A": (39.5, None), "005B": (60.5, None)}
    for until in ("2027-03-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00", None):
        ending = {"UserId": "005A", "Territory2Id": "0MI1", "Bailiwick_ValidTo__c": until}
        assert await _cover(assignment, ending) == ({"changed": 1}, [])
        assert await _running(assignment, plan_id, "primary") == {"005A": (100, until)}
        assignment.clock.advance(timedelta(days=1))
        assert await _cover(assignment, ending) == ({"unchanged": 1}, [])


async def test_a_coverage_that_does_not_fit_is_a_refused_row(assignment: Assignment):
    plan_id = (await import_document(assignment, {**DOCUMENT, "UserTerritory2Association": COVERING}))[
        "plan_id"
    ]
    assignment.clock.advance(timedelta(days=1))
    before = await assignment.rows("SELECT * FROM coverages ORDER BY coverage_id")
    events = await assignment.rows("SELECT count(*) FROM outbox")
    row = {"UserId": "005B", "Territory2Id": "0MI1", "RoleInTerritory2": "overlay"}
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"Bailiwick_Share__c": 40}, "Bailiwick_Share__c", "conflict"),
        ({"Bailiwick_Share__c": 0}, "Bailiwick_Share__c", "invalid-value"),
        ({"Bailiwick_Share__c": 100.001}, "Bailiwick_Share__c", "invalid-value"),
        ({"Bailiwick_Share__c": "NaN"}, "Bailiwick_Share__c", "invalid-value"),
        ({"Bailiwick_Share__c": [1]}, "Bailiwick_Share__c", "invalid-value"),
        ({"Bailiwick_ValidTo__c": "2020-01-01T00:00:00Z"}, "Bailiwick_ValidTo__c", "invalid-value"),
        ({"Bailiwick_ValidTo__c": "soon"}, "Bailiwick_ValidTo__c", "invalid-value"),
        ({"Bailiwick_ValidTo__c": "9999-12-31T23:59:59Z"}, "Bailiwick_ValidTo__c", "invalid-value"),
        (
            {"Territory2Id": "0MI2", "Bailiwick_ValidFrom__c": "2999-01-01T00:00:00Z"},
            "Bailiwick_ValidFrom__c",
            "invalid-value",
        ),
        ({"Territory2Id": "0MI2", "RoleInTerritory2": "holdover"}, "Bailiwick_ValidTo__c", "missing"),
        ({"Territory2Id": "0MI77"}, "Territory2Id", "unknown-reference"),
        ({"RoleInTerritory2": "Owner"}, "RoleInTerritory2", "unsupported"),
    ]
    found = await _cover(assignment, *({**row, **told} for told, _, _ in wrong))
    assert found == (
        {"rejected": len(wrong)},
        [(index, field, code) for index, (_, field, code) in enumerate(wrong)],
    )
    assert await assignment.rows("SELECT * FROM coverages ORDER BY coverage_id") == before
    assert await assignment.rows("SELECT count(*) FROM outbox") == events
    # A row that was refused is none before the next; who then has the role alone, has it alone.
    blank = [{"UserId": user, "Territory2Id": "0MI2"} for user in ("005X", "005B", "005A", "005B")]
    assert await _cover(assignment, *blank) == (
        {"created": 1, "rejected": 3},
        [
            (0, "UserId", "unknown-reference"),
            (2, "Territory2Id", "duplicate"),
            (3, "UserId", "duplicate"),
        ],
    )
    exported = (await assignment.get(f"{SALESFORCE}/plans/{plan_id}"))["UserTerritory2Association"]
    assert [one["UserId"] for one in exported if one["Territory2Id"] == "0MI2"] == ["005B"]


async def test_a_coverage_that_cannot_begin_is_told_and_the_rest_is_stored(assignment: Assignment):
    await import_document(assignment, DOCUMENT)
    document = copy.deepcopy(DOCUMENT)
    document["Account"].append({"Id": "001D", "Name": "Dune"})
    # In the very instant in which another rep began.
    document["UserTerritory2Association"][0]["UserId"] = "005B"
    events = await assignment.rows("SELECT count(*) FROM outbox WHERE type LIKE 'assignment.coverage.%'")
    answer = await import_document(assignment, document)
    assert [(one["object"], one["row"], one["field"], one["code"]) for one in answer["errors"]] == [
        ("UserTerritory2Association", 0, "Territory2Id", "conflict")
    ]
    assert counts(answer, "created") == {"Account": 1}
    assert events == await assignment.rows(
        "SELECT count(*) FROM outbox WHERE type LIKE 'assignment.coverage.%'"
    )
