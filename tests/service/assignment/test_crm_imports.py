"""Imports from CRMs over HTTP: by external id, dry or kept, row by row, and what goes out comes in the same."""

import copy

import pytest

from tests.service.assignment.conftest import CITY, Assignment
from tests.service.assignment.crm_documents import (
    DOCUMENT,
    SALESFORCE,
    counts,
    export_document,
    import_document,
)

TABLES = ("accounts", "reps", "plans", "territories", "rules", "coverages", "crm_references", "outbox")


async def _rows(assignment: Assignment) -> list[int]:
    return [(await assignment.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in TABLES]


async def test_a_dry_run_tells_what_the_import_then_does_and_keeps_nothing(assignment: Assignment):
    empty = await _rows(assignment)
    dry = await import_document(assignment, DOCUMENT, dry_run=True)
    assert dry["dry_run"] is True
    assert dry["errors"] == []
    assert await _rows(assignment) == empty
    kept = await import_document(assignment, DOCUMENT)
    assert {**kept, "dry_run": True} == dry
    assert counts(kept, "created") == {
        "Account": 3,
        "User": 2,
        "Territory2Model": 1,
        "Territory2": 3,
        "ObjectTerritory2AssignmentRule": 3,
        "UserTerritory2Association": 2,
    }
    assert (await assignment.get(f"/v1/plans/{kept['plan_id']}"))["state"] == "draft"


async def test_the_same_document_again_changes_nothing(assignment: Assignment):
    first = await import_document(assignment, DOCUMENT)
    rows = await _rows(assignment)
    again = await import_document(assignment, DOCUMENT)
    assert (counts(again, "created"), counts(again, "changed"), again["errors"]) == ({}, {}, [])
    assert again["plan_version"] == first["plan_version"]
    assert await _rows(assignment) == rows


async def test_rules_mean_what_they_mean_in_salesforce(assignment: Assignment):
    """An account in the city has to meet the inherited rule, too; who meets only that stays in the parent."""
    plan_id = (await import_document(assignment, DOCUMENT))["plan_id"]
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
    assert (await import_document(assignment, DOCUMENT))["errors"] == []
    more = copy.deepcopy(DOCUMENT)
    more["Territory2"].append({"Id": "0MI9", "Name": "West"})
    refused = await assignment.http.post(f"{SALESFORCE}/imports", json=more)
    assert (refused.status_code, refused.json()["code"]) == (409, "plan-not-draft")


async def test_what_goes_out_comes_in_the_same_elsewhere(assignment: Assignment, elsewhere: Assignment):
    plan_id = (await import_document(assignment, DOCUMENT))["plan_id"]
    exported = await export_document(assignment, plan_id)
    assert exported["Territory2Model"] == [{"Id": "0MA1", "Name": "FY27", "State": "Planning"}]
    assert {one["Id"] for one in exported["Territory2"]} == {"0MI1", "0MI2", "0MI3"}
    taken = await import_document(elsewhere, exported)
    assert taken["errors"] == []
    assert taken["plan_id"] == plan_id
    assert await export_document(elsewhere, plan_id) == exported
    # And back where it came from, nothing changes: what was inherited is spelled out once.
    assert counts(await import_document(assignment, exported), "changed") == {}


async def test_a_plan_drafted_here_goes_out_under_its_own_ids(assignment: Assignment, elsewhere: Assignment):
    plan_id = await assignment.draft()
    exported = await export_document(assignment, plan_id)
    taken = await import_document(elsewhere, exported)
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
        {"UserId": "005A", "Territory2Id": "0MI3", "RoleInTerritory2": "Sales Rep"},
    ]
    answer = await import_document(assignment, document)
    told = [
        (one["object"], one["row"], one["external_id"], one["field"], one["code"]) for one in answer["errors"]
    ]
    assert sorted(told, key=str) == sorted(
        [
            ("Account", 3, "001D", "Name", "missing"),
            ("Account", 4, "001A", "Id", "duplicate"),
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
    answer = await import_document(assignment, document, system="hubspot")
    assert [(one["object"], one["row"], one["field"]) for one in answer["errors"]] == [
        ("companies", 1, "latitude"),
        ("owners", 1, "archived"),
    ]
    # What the next one does not tell stays as it was.
    await import_document(
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
    assert (await import_document(elsewhere, exported, system="hubspot"))["errors"] == []
    for path in ("accounts", "reps"):
        assert (await elsewhere.get(f"/v1/crm/hubspot/{path}"))["items"] == exported[
            {"accounts": "companies", "reps": "owners"}[path]
        ]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "JSON"),
        (b"[]", "lists of records"),
        (b"{}", "lists of records"),
        (b'{"accounts": []}', "Territory2Model"),
        (b'{"Account": {}}', "Account"),
        (b'{"Account": [{"Id": "1"}], "Account": []}', "Account: stands twice"),
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


async def test_what_a_record_leaves_out_of_a_territory_or_a_rule_stays(assignment: Assignment):
    document = copy.deepcopy(DOCUMENT)
    document["ObjectTerritory2AssignmentRule"][0]["Bailiwick_Position__c"] = 7
    document["Territory2Type"].append({"Id": "0M52", "DeveloperName": "named_account"})
    document["Territory2"][0]["Territory2TypeId"] = "0M52"
    plan_id = (await import_document(assignment, document))["plan_id"]
    before = [
        (await assignment.get(f"/v1/plans/{plan_id}/{path}"))["items"] for path in ("territories", "rules")
    ]
    for name in ("Territory2", "ObjectTerritory2AssignmentRule"):
        kept = {"Id", "BooleanFilter"}
        document[name] = [
            {field: value for field, value in record.items() if field in kept} for record in document[name]
        ]
    answer = await import_document(assignment, document)
    assert (answer["errors"], counts(answer, "changed")) == ([], {})
    after = [
        (await assignment.get(f"/v1/plans/{plan_id}/{path}"))["items"] for path in ("territories", "rules")
    ]
    assert after == before
    # What is told as null is told: a root, and the rule of a root comes after those below.
    document["Territory2"][0]["ParentTerritory2Id"] = None
    answer = await import_document(assignment, document)
    assert counts(answer, "changed")["Territory2"] == 1
    territories = (await assignment.get(f"/v1/plans/{plan_id}/territories"))["items"]
    assert {one["parent_id"] for one in territories} == {None}
    rules = {one["name"]: one for one in (await assignment.get(f"/v1/plans/{plan_id}/rules"))["items"]}
    assert rules["Large in the city"]["position"] == rules["Metals"]["position"]
    assert rules["East"]["position"] == 7
