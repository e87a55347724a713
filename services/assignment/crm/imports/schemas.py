"""The answer of an import, and how its body is described."""

from typing import Any
from uuid import UUID

from pydantic import Field

from services.assignment.crm.imports.commands.import_document import Imported
from services.assignment.crm.imports.document import OBJECTS
from services.assignment.crm.shapes import Code, System
from shared.http.bodies import View


class TallyView(View):
    """The rows of one object: received = created + changed + unchanged + superseded + rejected."""

    object: str
    received: int
    created: int
    changed: int
    unchanged: int
    superseded: int = Field(description="Older than all that is known of what they tell, and not taken.")
    rejected: int


class RefusedRowView(View):
    """A row that was not taken."""

    object: str
    row: int = Field(description="Its place in its list, counted from 0.")
    external_id: str | None
    field: str | None = Field(description="In the words of the CRM; null when it is the whole record.")
    code: Code
    detail: str = Field(description="What belongs there.")


class CrmImportView(View):
    """What became of a document."""

    dry_run: bool = Field(description="True: nothing of it was kept.")
    plan_id: UUID | None = Field(description="The plan that Territory2Model stands for.")
    plan_version: int | None
    aligned: int = Field(description="Accounts that got another territory of the live plan.")
    objects: list[TallyView]
    errors: list[RefusedRowView] = Field(description="The first 1,000 refused rows.")

    @classmethod
    def of(cls, imported: Imported) -> "CrmImportView":
        """Show what became of a document."""
        plan, report = imported.plan, imported.report
        return cls(
            dry_run=imported.dry_run,
            plan_id=None if plan is None else plan.plan_id,
            plan_version=None if plan is None else plan.version,
            aligned=imported.aligned,
            objects=[
                TallyView(
                    object=name,
                    received=tally.received,
                    created=tally.created,
                    changed=tally.changed,
                    unchanged=tally.unchanged,
                    superseded=tally.superseded,
                    rejected=tally.rejected,
                )
                for name, tally in report.objects.items()
            ],
            errors=[
                RefusedRowView(
                    object=row.object,
                    row=row.index,
                    external_id=row.external_id,
                    field=row.field,
                    code=row.code,
                    detail=row.detail,
                )
                for row in report.errors
            ],
        )


_SALESFORCE = {
    "Account": [{"Id": "001A", "Name": "Acme", "BillingPostalCode": "01841", "NumberOfEmployees": 120}],
    "User": [{"Id": "005A", "Name": "Ada Diaz"}],
    "Territory2Model": [{"Id": "0MA1", "Name": "FY27"}],
    "Territory2Type": [{"Id": "0M51", "DeveloperName": "geographic"}],
    "Territory2": [{"Id": "0MI1", "Name": "East", "Territory2TypeId": "0M51", "Territory2ModelId": "0MA1"}],
    "ObjectTerritory2AssignmentRule": [{"Id": "0RL1", "MasterLabel": "East", "BooleanFilter": "1 AND 2"}],
    "ObjectTerritory2AssignmentRuleItem": [
        {
            "RuleId": "0RL1",
            "SortOrder": 1,
            "Field": "BillingPostalCode",
            "Operation": "startsWith",
            "Value": "01",
        },
        {
            "RuleId": "0RL1",
            "SortOrder": 2,
            "Field": "NumberOfEmployees",
            "Operation": "greaterThan",
            "Value": "50",
        },
    ],
    "RuleTerritory2Association": [{"RuleId": "0RL1", "Territory2Id": "0MI1", "IsInherited": False}],
    "UserTerritory2Association": [
        {"UserId": "005A", "Territory2Id": "0MI1", "RoleInTerritory2": "primary"},
        {"UserId": "005B", "Territory2Id": "0MI1", "RoleInTerritory2": "overlay", "Bailiwick_Share__c": 40},
    ],
}
_HUBSPOT = {
    "companies": [{"id": "42", "properties": {"name": "Acme", "zip": "01841"}}],
    "owners": [{"id": "7", "firstName": "Ada", "lastName": "Diaz"}],
}
_RECORDS = {"type": "array", "items": {"type": "object"}}
_NAMES = dict.fromkeys(name for names in OBJECTS.values() for name in names)
DOCUMENT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "minProperties": 1,
                    "properties": dict.fromkeys(_NAMES, _RECORDS),
                },
                "examples": {
                    System.SALESFORCE.value: {"value": _SALESFORCE},
                    System.HUBSPOT.value: {"value": _HUBSPOT},
                },
            }
        },
    }
}
