"""The rules of plans over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.assignment.plans.revisions import PlanRead, ReviseDraft
from services.assignment.rules import queries
from services.assignment.rules.commands import (
    RemoveRule,
    ReplaceRules,
    SetRule,
    remove_rule,
    replace_rules,
    set_rule,
)
from services.assignment.rules.schemas import RuleBody, RulesBody, RulesView, RuleView
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Manager, Planner, Reader

router = APIRouter(prefix="/v1/plans/{plan_id}/rules", tags=["rules"])


@router.put("", response_model=RulesView, responses=describe(409))
async def put_rules(by: Planner, revision: ReviseDraft, body: RulesBody) -> Response:
    """Replace all rules of a draft. Every rule is checked; none is stored unless all are right."""
    return await revision.run(
        replace_rules,
        ReplaceRules(revision.draft, tuple(rule.listed() for rule in body.rules)),
        by=by,
        show=lambda revised: RulesView(
            plan_id=revision.draft.plan_id,
            version=revised.version,
            rules=[RuleView.of(rule) for rule in revised.rules],
        ),
    )


@router.get("")
async def list_rules(
    by: Reader,
    plan: PlanRead,
    read: Snapshot,
    page: PageParameters,
    territory_id: Annotated[UUID | None, Query(description="Only rules that send here.")] = None,
) -> Page[RuleView]:
    """List the plan's rules that send to territories in the caller's scope, by id."""
    rows = await queries.list_rules(read, plan.plan_id, territory_id=territory_id, scope=by.scope, page=page)
    found, cursor = page_of(rows, page, lambda rule: rule.rule_id)
    return Page(items=[RuleView.model_validate(rule) for rule in found], next_cursor=cursor)


@router.get("/{rule_id}")
async def get_rule(by: Reader, plan: PlanRead, read: Snapshot, rule_id: UUID) -> RuleView:
    """Return one rule; the ETag is the plan's, since rules are matched together."""
    return RuleView.model_validate(await queries.find_rule(read, plan.plan_id, rule_id, scope=by.scope))


@router.put("/{rule_id}", response_model=RuleView, responses=describe(409))
async def put_rule(by: Manager, revision: ReviseDraft, rule_id: UUID, body: RuleBody) -> Response:
    """Add or change one rule of a draft, between territories of the caller's scope."""
    return await revision.run(
        set_rule,
        SetRule(revision.draft, body.named(rule_id), by.scope),
        by=by,
        show=lambda revised: RuleView.of(revised.rules[0]),
    )


@router.delete("/{rule_id}", status_code=204, response_class=Response, responses=describe(409))
async def delete_rule(by: Manager, revision: ReviseDraft, rule_id: UUID) -> Response:
    """Take a rule out of a draft."""
    command = RemoveRule(revision.draft, rule_id, by.scope)
    return await revision.run(remove_rule, command, by=by, show=lambda _: None, status=204)
