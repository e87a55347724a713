"""A document of Salesforce's records, and the words in which tests import and export such."""

from collections.abc import AsyncIterator
from typing import Any

from tests.service.assignment.conftest import Assignment

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


async def import_document(
    assignment: Assignment, document: Any, *, system: str = "salesforce", **query: Any
) -> Any:
    """Import what must be taken, and return the report."""
    answer = await assignment.http.post(f"/v1/crm/{system}/imports", json=document, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def export_document(assignment: Assignment, plan_id: str) -> dict[str, Any]:
    """Return a plan with its coverage, all accounts and all reps as an import takes them."""
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


def counts(answer: dict[str, Any], outcome: str) -> dict[str, int]:
    """Return how many rows of each object had an outcome."""
    return {one["object"]: one[outcome] for one in answer["objects"] if one[outcome]}
