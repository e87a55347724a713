"""Imports from CRMs over HTTP: by external id, dry or kept, row by row, and what goes out comes in the same."""

import copy
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.service.assignment.conftest import CITY, Assignment

SALESFORCE = "/v1/crm/salesforce"
DOCUMENT: dict[str, list[dict[str, Any]]] = {
    "Account": [
        {
            "Id": "001A",
            "Name": "Acme",
            "BillingPostalCode": "01841",
            "BillingStateCode": "MA",
            "BillingLatitude": 42.7,
            "BillingLongitude": -71.15,
            "Industry": "Retail, food",
            "NumberOfEmployees": 120,
        },
        {"Id": "001B", "Name": "Brass", "BillingPostalCode": "01840", "NumberOfEmployees": 7},
        {"Id": "001C", "Name": "Copper", "Industry": 'Metal "works"'},
    ],
    "User": [
        {"Id": "005A", "Name": "Ada Diaz", "Languages__c": "en;es", "Needs__c": "training"},
        {"Id": "005B", "Name": "Bo Li", "PostalCode": "01841"},
    ],
    "Territory2Model": [{"Id": "0MA1", "Name": "FY27"}],
    "Territory2Type": [{"Id": "0M51", "DeveloperName": "Geographic"}],
    "Territory2": [
        {"Id": "0MI2", "Name": "City", "ParentTerritory2Id": "0MI1", "Territory2TypeId": "0M51"},
        {"Id": "0MI1", "Name": "East", "Territory2TypeId": "0M51", "Bailiwick_Code__c": "E-1"},
        {"Id": "0MI3", "Name": "Metals", "Territory2TypeId": "0M51"},
    ],
    "ObjectTerritory2AssignmentRule": [
        {"Id": "0RL1", "MasterLabel": "East"},
        {"Id": "0RL2", "MasterLabel": "Large in the city", "BooleanFilter": "(1 AND 2) OR 3"},
        {"Id": "0RL3", "MasterLabel": "Metals"},
    ],
    "ObjectTerritory2AssignmentRuleItem": [
        {
            "RuleId": "0RL1",
            "SortOrder": 1,
            "Field": "BillingPostalCode",
            "Operation": "startsWith",
            "Value": "018",
        },
        {
            "RuleId": "0RL2",
            "SortOrder": 2,
            "Field": "Industry",
            "Operation": "equals",
            "Value": '"Retail, food",Toys',
        },
        {
            "RuleId": "0RL2",
            "SortOrder": 1,
            "Field": "NumberOfEmployees",
            "Operation": "greaterOrEqual",
            "Value": "50",
        },
        {
            "RuleId": "0RL2",
            "SortOrder": 3,
            "Field": "BillingPostalCode",
            "Operation": "equals",
            "Value": "01899",
        },
        {
            "RuleId": "0RL3",
            "SortOrder": 1,
            "Field": "Industry",
            "Operation": "startsWith",
            "Value": "Metal",
        },
    ],
    "RuleTerritory2Association": [
        {"RuleId": "0RL1", "Territory2Id": "0MI1", "IsInherited": True},
        {"RuleId": "0RL2", "Territory2Id": "0MI2"},
        {"RuleId": "0RL3", "Territory2Id": "0MI3"},
    ],
    "UserTerritory2Association": [
        {"UserId": "005A", "Territory2Id": "0MI1", "RoleInTerritory2": "Primary"},
        {"UserId": "005B", "Territory2Id": "0MI2"},
    ],
}


async def _import(assignment: Assignment, document: Any, *, system: str = "salesforce", **query: Any) -> Any:
    answer = await assignment.http.post(f"/v1/crm/{system}/imports", json=document, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _export(assignment: Assignment, plan_id: str) -> dict[str, Any]:
    document = await assignment.get(f"{SALESFORCE}/plans/{plan_id}")
    for path in ("accounts", "reps"):
        async for page in _pages(assignment, f"{SALESFORCE}/{path}"):
            document.setdefault(page["object"], []).extend(page["items"])
    return document


async def _pages(assignment: Assignment, path: str) -> AsyncIterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = await assignment.get(path, limit=2, **({} if cursor is None else {"cursor": cursor}))
        yield page
        if (cursor := page["next_cursor"]) is None:
            return


def _counts(answer: dict[str, Any], outcome: str) -> dict[str, int]:
    return {one["object"]: one[outcome] for one in answer["objects"] if one[outcome]}


TABLES = ("accounts", "reps", "plans", "territories", "rules", "coverages", "crm_references", "outbox")


async def _rows(assignment: Assignment) -> list[int]:
    return [(await assignment.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in TABLES]


async def test_a_dry_run_tells_what_the_import_then_does_and_keeps_nothing(assignment: Assignment):
    empty = await _rows(assignment)
    dry = await _import(assignment, DOCUMENT, dry_run=True)
    assert dry["dry_run"] is True
    assert dry["errors"] == []
    assert await _rows(assignment) == empty
    kept = await _import(assignment, DOCUMENT)
    assert {**kept, "dry_run": True} == dry
    assert _counts(kept, "created") == {
        "Account": 3,
        "User": 2,
        "Territory2Model": 1,
        "Territory2": 3,
        "ObjectTerritory2AssignmentRule": 3,
        "UserTerritory2Association": 2,
    }
    assert (await assignment.get(f"/v1/plans/{kept['plan_id']}"))["state"] == "draft"


async def test_the_same_document_again_changes_nothing(assignment: Assignment):
    first = await _import(assignment, DOCUMENT)
    rows = await _rows(assignment)
    again = await _import(assignment, DOCUMENT)
    assert (_counts(again, "created"), _counts(again, "changed"), again["errors"]) == ({}, {}, [])
    assert again["plan_version"] == first["plan_version"]
    assert await _rows(assignment) == rows


async def test_rules_mean_what_they_mean_in_salesforce(assignment: Assignment):
    """An account in the city has to meet the inherited rule, too; who meets only that stays in the parent."""
    plan_id = (await _import(assignment, DOCUMENT))["plan_id"]
    await assignment.activate(plan_id)
    accounts = await assignment.get("/v1/accounts")
    names = {
        one["territory_id"]: one["name"]
        for one in (await assignment.get(f"/v1/plans/{plan_id}/territories"))["items"]
    }
    assert {one["name"]: names[one["alignment"]["territory_id"]] for one in accounts["items"]} == {
        "Acme": "City",
        "Brass": "East",
        "Copper": "Metals",
    }
    owners = {one["Id"]: one["OwnerId"] for one in (await assignment.get(f"{SALESFORCE}/accounts"))["items"]}
    assert owners == {"001A": "005B", "001B": "005A", "001C": None}
    # The plan is live now: the same document is still fine, another territory is not.
    assert (await _import(assignment, DOCUMENT))["errors"] == []
    more = copy.deepcopy(DOCUMENT)
    more["Territory2"].append({"Id": "0MI9", "Name": "West"})
    refused = await assignment.http.post(f"{SALESFORCE}/imports", json=more)
    assert (refused.status_code, refused.json()["code"]) == (409, "plan-not-draft")


async def test_what_goes_out_comes_in_the_same_elsewhere(assignment: Assignment, elsewhere: Assignment):
    plan_id = (await _import(assignment, DOCUMENT))["plan_id"]
    exported = await _export(assignment, plan_id)
    assert exported["Territory2Model"] == [{"Id": "0MA1", "Name": "FY27", "State": "Planning"}]
    assert {one["Id"] for one in exported["Territory2"]} == {"0MI1", "0MI2", "0MI3"}
    taken = await _import(elsewhere, exported)
    assert taken["errors"] == []
    assert taken["plan_id"] == plan_id
    assert await _export(elsewhere, plan_id) == exported
    # And back where it came from, nothing changes: what was inherited is spelled out once.
    assert _counts(await _import(assignment, exported), "changed") == {}


async def test_a_plan_drafted_here_goes_out_under_its_own_ids(assignment: Assignment, elsewhere: Assignment):
    plan_id = await assignment.draft()
    exported = await _export(assignment, plan_id)
    taken = await _import(elsewhere, exported)
    assert (taken["plan_id"], taken["errors"]) == (plan_id, [])
    for path in ("territories", "rules"):
        before = await assignment.get(f"/v1/plans/{plan_id}/{path}")
        assert (await elsewhere.get(f"/v1/plans/{plan_id}/{path}"))["items"] == before["items"]


async def test_a_wrong_row_is_told_with_field_and_code_and_takes_along_what_hangs_on_it(
    assignment: Assignment,
):
    document = copy.deepcopy(DOCUMENT)
    document["Account"] += [
        {"Id": "001D"},
        {"Id": "001A", "Name": "Again"},
        {"Id": "001E", "Name": "E", "NumberOfEmployees": -1},
        {"Id": "001F", "Name": "Gone", "IsDeleted": True},
        7,
    ]
    document["Territory2"] += [
        {"Id": "0MI4", "Name": "Orphan", "ParentTerritory2Id": "0MI99"},
        {"Id": "0MI5", "Name": "East"},
    ]
    document["ObjectTerritory2AssignmentRule"] += [
        {"Id": "0RL4", "MasterLabel": "Orphan"},
        {"Id": "0RL5", "MasterLabel": "Mixed", "BooleanFilter": "1 AND 2 OR 3"},
    ]
    document["ObjectTerritory2AssignmentRuleItem"] += [
        {"RuleId": "0RL4", "SortOrder": 1, "Field": "Phone", "Operation": "equals", "Value": "1"}
    ] + [
        {"RuleId": "0RL5", "SortOrder": n, "Field": "Industry", "Operation": "equals", "Value": str(n)}
        for n in (1, 2, 3)
    ]
    document["RuleTerritory2Association"] += [
        {"RuleId": "0RL4", "Territory2Id": "0MI4"},
        {"RuleId": "0RL5", "Territory2Id": "0MI3"},
    ]
    document["UserTerritory2Association"] += [
        {"UserId": "005X", "Territory2Id": "0MI3"},
        {"UserId": "005A", "Territory2Id": "0MI2"},
        {"UserId": "005A", "Territory2Id": "0MI3", "RoleInTerritory2": "Overlay"},
    ]
    answer = await _import(assignment, document)
    told = [
        (one["object"], one["row"], one["external_id"], one["field"], one["code"]) for one in answer["errors"]
    ]
    assert sorted(told, key=str) == sorted(
        [
            ("Account", 3, "001D", "Name", "missing"),
            ("Account", 4, None, "Id", "duplicate"),
            ("Account", 5, "001E", "NumberOfEmployees", "invalid-value"),
            ("Account", 6, "001F", "IsDeleted", "unsupported"),
            ("Account", 7, None, None, "invalid-value"),
            ("Territory2", 3, "0MI4", "ParentTerritory2Id", "invalid-value"),
            ("Territory2", 4, "0MI5", "Name", "duplicate"),
            ("ObjectTerritory2AssignmentRule", 3, "0RL4", "Id", "depends-on-refused"),
            ("ObjectTerritory2AssignmentRule", 4, "0RL5", "BooleanFilter", "invalid-value"),
            ("ObjectTerritory2AssignmentRuleItem", 5, None, "Field", "unsupported"),
            ("RuleTerritory2Association", 3, None, "Territory2Id", "unknown-reference"),
            ("UserTerritory2Association", 2, None, "UserId", "unknown-reference"),
            ("UserTerritory2Association", 3, None, "Territory2Id", "duplicate"),
            ("UserTerritory2Association", 4, None, "RoleInTerritory2", "unsupported"),
        ],
        key=str,
    )
    assert all(one["detail"] for one in answer["errors"])
    for one in answer["objects"]:
        parts = [one[part] for part in ("created", "changed", "unchanged", "superseded", "rejected")]
        assert one["received"] == sum(parts), one
    assert await assignment.rows("SELECT count(*) FROM accounts") == [(3,)]


async def test_hubspot_tells_of_companies_and_owners(assignment: Assignment, elsewhere: Assignment):
    document = {
        "companies": [
            {"id": 42, "properties": {"name": "Acme", "zip": "01841", "numberofemployees": "120"}},
            {"id": "43", "properties": {"name": "Brass", "latitude": "north"}},
        ],
        "owners": [{"id": "7", "firstName": "Ada", "lastName": "Diaz Gil"}, {"id": "8", "archived": True}],
    }
    answer = await _import(assignment, document, system="hubspot")
    assert [(one["object"], one["row"], one["field"]) for one in answer["errors"]] == [
        ("companies", 1, "latitude"),
        ("owners", 1, "archived"),
    ]
    # What the next one does not tell stays as it was.
    await _import(
        assignment, {"companies": [{"id": "42", "properties": {"industry": "RETAIL"}}]}, system="hubspot"
    )
    exported = {}
    for path in ("accounts", "reps"):
        page = await assignment.get(f"/v1/crm/hubspot/{path}")
        exported[page["object"]] = page["items"]
    company = exported["companies"][0]
    assert (company["id"], company["properties"]["numberofemployees"]) == ("42", "120")
    assert company["properties"]["industry"] == "RETAIL"
    assert exported["owners"] == [{"id": "7", "firstName": "Ada Diaz", "lastName": "Gil"}]
    assert (await _import(elsewhere, exported, system="hubspot"))["errors"] == []
    for path in ("accounts", "reps"):
        assert (await elsewhere.get(f"/v1/crm/hubspot/{path}"))["items"] == exported[
            {"accounts": "companies", "reps": "owners"}[path]
        ]


async def test_a_coverage_whose_end_is_known_runs_like_any_other(assignment: Assignment):
    """It goes out, makes its rep the owner, and is unchanged when it comes in again."""
    plan_id = (await _import(assignment, DOCUMENT))["plan_id"]
    await assignment.activate(plan_id)
    assignment.clock.advance(timedelta(days=1))
    for one in (await assignment.get("/v1/coverages"))["items"]:
        until = (assignment.clock.now() + timedelta(days=10)).isoformat()
        await assignment.post(f"/v1/coverages/{one['coverage_id']}/endings", {"valid_to": until})
    exported = await _export(assignment, plan_id)
    assert {one["UserId"] for one in exported["UserTerritory2Association"]} == {"005A", "005B"}
    assert {one["OwnerId"] for one in exported["Account"]} == {"005A", "005B", None}
    again = await _import(assignment, exported)
    assert (again["errors"], _counts(again, "changed"), _counts(again, "created")) == ([], {}, {})
    assignment.clock.advance(timedelta(days=10))
    ended = await _export(assignment, plan_id)
    assert ended["UserTerritory2Association"] == []


async def test_a_coverage_that_cannot_begin_is_told_and_the_rest_is_stored(assignment: Assignment):
    await _import(assignment, DOCUMENT)
    document = copy.deepcopy(DOCUMENT)
    document["Account"].append({"Id": "001D", "Name": "Dune"})
    # In the very instant in which another rep began.
    document["UserTerritory2Association"][0]["UserId"] = "005B"
    events = await assignment.rows("SELECT count(*) FROM outbox WHERE type LIKE 'assignment.coverage.%'")
    answer = await _import(assignment, document)
    assert [(one["object"], one["row"], one["field"], one["code"]) for one in answer["errors"]] == [
        ("UserTerritory2Association", 0, "Territory2Id", "conflict")
    ]
    assert _counts(answer, "created") == {"Account": 1}
    assert events == await assignment.rows(
        "SELECT count(*) FROM outbox WHERE type LIKE 'assignment.coverage.%'"
    )


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "JSON"),
        (b"[]", "lists of records"),
        (b"{}", "lists of records"),
        (b'{"accounts": []}', "Territory2Model"),
        (b'{"Account": {}}', "Account"),
        (b'{"Territory2": [{"Id": "1"}]}', "Territory2Model"),
        (b'{"Territory2Model": [{"Id": "1"}]}', "Name"),
        (b'{"Territory2Model": [{"Name": "x"}]}', "Id"),
        (b'{"Territory2Model": [{"Id": "1", "Name": "a"}, {"Id": "2", "Name": "b"}]}', "one record"),
    ],
)
async def test_a_document_that_is_none_is_refused_whole(assignment: Assignment, body: bytes, named: str):
    refused = await assignment.http.post(f"{SALESFORCE}/imports", content=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "unreadable-document")
    assert named in refused.json()["detail"]


async def test_only_planners_import_and_readers_see_their_own(assignment: Assignment):
    await assignment.live(
        {"external_id": "A", "name": "Acme", "county": "01001"},
        {"external_id": "B", "name": "Brass", "county": "02001"},
    )
    narrow = assignment.caller("manager", territories=[CITY])
    for refused in (
        await assignment.http.post(f"{SALESFORCE}/imports", json=DOCUMENT, headers=narrow),
        await assignment.http.get(f"{SALESFORCE}/plans/{CITY}", headers=narrow),
    ):
        assert refused.status_code == 403
    seen = await assignment.http.get(f"{SALESFORCE}/accounts", headers=narrow)
    assert [one["Id"] for one in seen.json()["items"]] == ["A"]
