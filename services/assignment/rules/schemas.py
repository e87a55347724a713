"""Bodies of rule requests and answers."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from services.assignment.rules.condition import describe_condition
from services.assignment.rules.rule import MAX_RULES, Rule, RuleText
from shared.http.bodies import Body, Name, View
from shared.runtime.ids import new_id

ConditionText = Annotated[
    dict[str, Any],
    Field(
        description=(
            "`{field, op, value}`, `{all: [...]}` or `{any: [...]}`, nested at most 8 levels, at most 5,000 "
            "values. Fields county, postal_code, state, industry, external_id, language: eq, ne, in, "
            "not_in, starts_with, is_missing. Field need (kinds of needs still to be met, any of them): "
            "eq, ne, in, not_in, is_missing. Field employees: eq, ne, in, not_in, lt, lte, gt, gte, between, "
            "is_missing. A missing value meets nothing but is_missing."
        ),
        examples=[
            {
                "all": [
                    {"field": "county", "op": "in", "value": ["01001", "01003"]},
                    {"field": "employees", "op": "gte", "value": 50},
                ]
            }
        ],
    ),
]


class RuleBody(Body):
    """A rule: accounts that meet the condition go to the territory; the lowest position wins."""

    name: Name
    territory_id: UUID
    position: int = Field(ge=0, le=1_000_000)
    condition: ConditionText

    def named(self, rule_id: UUID) -> RuleText:
        """Return the rule under this id, its condition yet to be checked."""
        return RuleText(rule_id, self.name, self.territory_id, self.position, self.condition)


class ListedRuleBody(RuleBody):
    """A rule in a whole list."""

    rule_id: UUID | None = Field(default=None, description="Leave out to get a new id.")

    def listed(self) -> RuleText:
        """Return the rule, under a new id if it has none."""
        return self.named(self.rule_id or new_id())


class RulesBody(Body):
    """All rules of a plan."""

    rules: tuple[ListedRuleBody, ...] = Field(max_length=MAX_RULES)


class RuleView(View):
    """A rule of a plan."""

    rule_id: UUID
    name: str
    territory_id: UUID
    position: int
    condition: dict[str, Any]

    @classmethod
    def of(cls, rule: Rule) -> "RuleView":
        """Show a checked rule."""
        return cls(
            rule_id=rule.rule_id,
            name=rule.name,
            territory_id=rule.territory_id,
            position=rule.position,
            condition=describe_condition(rule.condition),
        )


class RulesView(View):
    """All rules as stored, and the plan's version now."""

    plan_id: UUID
    version: int
    rules: list[RuleView]
