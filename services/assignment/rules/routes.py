"""The rules of plans over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.assignment.plans.queries import find_plan
from services.assignment.rules import queries
from services.assignment.rules.commands import (
    PutRule,
    RemoveRule,
    ReplaceRules,
    put_rule,
    remove_rule,
    replace_rules,
)
from services.assignment.rules.schemas import RuleBody, RulesBody, RulesView, RuleView
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Manager, Planner, Reader

router = APIRouter(prefix="/v1/plans/{plan_id}/rules", tags=["rules"])


@router.put("", response_model=RulesView, responses=describe(409))
async def put_rules(
    by: Planner, run: RunCommand, plan_id: UUID, version: ExpectedVersion, body: RulesBody
) -> Response:
    """Replace all rules of a draft. Every rule is checked; none is stored unless all are right."""
    return await run.run(
        replace_rules,
        ReplaceRules(plan_id, version, tuple(rule.listed() for rule in body.rules)),
        by=by,
        show=lambda revised: RulesView(
            plan_id=plan_id, version=revised.version, rules=[RuleView.of(rule) for rule in revised.rules]
        ),
        version=lambda revised: revised.version,
    )


@router.get("")
async def list_rules(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    response: Response,
    plan_id: UUID,
    territory_id: Annotated[UUID | None, Query(description="Only rules that send here.")] = None,
) -> Page[RuleView]:
    """List the plan's rules that send to territories in the caller's scope, by id."""
    plan = await find_plan(read, plan_id)
    response.headers["etag"] = etag_of(plan.version)
    rows = await queries.list_rules(read, plan_id, territory_id=territory_id, scope=by.scope, page=page)
    found, cursor = page_of(rows, page, lambda rule: rule.rule_id)
    return Page(items=[RuleView.model_validate(rule) for rule in found], next_cursor=cursor)


@router.get("/{rule_id}")
async def get_rule(by: Reader, read: Snapshot, response: Response, plan_id: UUID, rule_id: UUID) -> RuleView:
    """Return one rule; the ETag is the plan's, since rules are matched together."""
    plan = await find_plan(read, plan_id)
    rule = await queries.find_rule(read, plan_id, rule_id, scope=by.scope)
    response.headers["etag"] = etag_of(plan.version)
    return RuleView.model_validate(rule)


@router.put("/{rule_id}", response_model=RuleView, responses=describe(409))
async def put_one_rule(
    by: Manager, run: RunCommand, plan_id: UUID, rule_id: UUID, version: ExpectedVersion, body: RuleBody
) -> Response:
    """Add or change one rule of a draft, between territories of the caller's scope."""
    return await run.run(
        put_rule,
        PutRule(plan_id, version, body.named(rule_id), by.scope),
        by=by,
        show=lambda revised: RuleView.of(revised.rules[0]),
        version=lambda revised: revised.version,
    )


@router.delete("/{rule_id}", status_code=204, response_class=Response, responses=describe(409))
async def delete_rule(
    by: Manager, run: RunCommand, plan_id: UUID, rule_id: UUID, version: ExpectedVersion
) -> Response:
    """Take a rule out of a draft."""
    return await run.run(
        remove_rule,
        RemoveRule(plan_id, version, rule_id, by.scope),
        by=by,
        show=lambda _: None,
        status=204,
        version=lambda revised: revised.version,
    )
