"""Answers of exports: records in the words of the CRM."""

from typing import Any

from pydantic import Field

from shared.http.bodies import View

Record = dict[str, Any]


class RecordsView(View):
    """One page of records; `next_cursor` is null on the last."""

    object: str = Field(description="The list of an import that these records belong in.")
    items: list[Record]
    next_cursor: str | None = None


class SalesforcePlanView(View):
    """A plan in the shape of Salesforce: as it stands it can be imported."""

    Territory2Model: list[Record]
    Territory2Type: list[Record]
    Territory2: list[Record]
    ObjectTerritory2AssignmentRule: list[Record]
    ObjectTerritory2AssignmentRuleItem: list[Record]
    RuleTerritory2Association: list[Record]
    UserTerritory2Association: list[Record]
