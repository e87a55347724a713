"""Writes a plan as Salesforce's Territory2 family, under the ids that Salesforce knows where it knows any. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from services.assignment.crm.references import PLAN, RULE, TERRITORY, References
from services.assignment.crm.salesforce.coverage_reader import (
    BEGIN_FIELD,
    COVERAGES,
    END_FIELD,
    ROLE_FIELD,
    SHARE_FIELD,
)
from services.assignment.crm.salesforce.rule_items import write_items
from services.assignment.crm.salesforce.rule_reader import ITEMS, PLACES, POSITION_FIELD, RULES
from services.assignment.crm.salesforce.territory_reader import CODE_FIELD, TERRITORIES, TYPES
from services.assignment.plans.plan import PlanState
from services.assignment.reps.coverages.coverage import RunningCoverage
from services.assignment.rules.rule import Rule
from services.assignment.territories.tree import Territory, TerritoryKind, Tree

Records = list[dict[str, Any]]

_STATES: Mapping[PlanState, str] = MappingProxyType(
    {PlanState.DRAFT: "Planning", PlanState.ACTIVE: "Active", PlanState.RETIRED: "Archived"}
)


@dataclass(frozen=True, slots=True)
class PlanParts:
    """A plan with all that belongs to it."""

    plan_id: UUID
    name: str
    state: PlanState
    tree: Tree
    rules: Sequence[Rule]
    coverages: Sequence[RunningCoverage]


def write_plan(plan: PlanParts, references: References) -> dict[str, Records]:
    """Return the lists of records that make this plan, as an import takes them."""
    model = references.name(PLAN, plan.plan_id)
    kinds = sorted({node.kind for node in plan.tree.territories})
    return {
        "Territory2Model": [{"Id": model, "Name": plan.name, "State": _STATES[plan.state]}],
        TYPES: [_type(kind) for kind in kinds],
        TERRITORIES: [_territory(node, model, references) for node in plan.tree.territories],
        RULES: [_rule(rule, references, model) for rule in plan.rules],
        ITEMS: [item for rule in plan.rules for item in _items(rule, references)],
        PLACES: [
            {
                "RuleId": references.name(RULE, rule.rule_id),
                "Territory2Id": references.name(TERRITORY, rule.territory_id),
                "IsInherited": False,
            }
            for rule in plan.rules
        ],
        COVERAGES: [_coverage(coverage, references) for coverage in plan.coverages],
    }


def _type(kind: TerritoryKind) -> dict[str, Any]:
    return {"Id": kind.value, "DeveloperName": kind.value}


def _territory(node: Territory, model: str, references: References) -> dict[str, Any]:
    parent = None if node.parent_id is None else references.name(TERRITORY, node.parent_id)
    return {
        "Id": references.name(TERRITORY, node.territory_id),
        "Name": node.name,
        "ParentTerritory2Id": parent,
        "Territory2TypeId": node.kind.value,
        "Territory2ModelId": model,
        CODE_FIELD: node.code,
    }


def _rule(rule: Rule, references: References, model: str) -> dict[str, Any]:
    return {
        "Id": references.name(RULE, rule.rule_id),
        "MasterLabel": rule.name,
        "ObjectType": "Account",
        "Territory2ModelId": model,
        "IsActive": True,
        "BooleanFilter": write_items(rule.condition)[1],
        POSITION_FIELD: rule.position,
    }


def _items(rule: Rule, references: References) -> Records:
    return [
        {
            "RuleId": references.name(RULE, rule.rule_id),
            "SortOrder": order,
            "Field": item.field,
            "Operation": item.operation,
            "Value": item.value,
        }
        for order, item in enumerate(write_items(rule.condition)[0], start=1)
    ]


def _coverage(coverage: RunningCoverage, references: References) -> dict[str, Any]:
    return {
        "UserId": coverage.external_id,
        "Territory2Id": references.name(TERRITORY, coverage.territory_id),
        ROLE_FIELD: coverage.role,
        "IsActive": True,
        SHARE_FIELD: float(coverage.share_percent),
        BEGIN_FIELD: coverage.valid_from.isoformat(),
        END_FIELD: None if coverage.valid_to is None else coverage.valid_to.isoformat(),
    }
