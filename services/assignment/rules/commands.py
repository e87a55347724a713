"""Changing the rules of a draft; every rule is checked against the plan's tree before it is stored."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.plans.commands.revise_draft import DraftAsRead, revise_draft
from services.assignment.rules.condition import describe_condition
from services.assignment.rules.refusals import InvalidRules
from services.assignment.rules.rule import MAX_RULES, Rule, RuleText, check_rules
from services.assignment.territories.queries import load_tree, require_in_scope
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

_CLEAR = text("DELETE FROM rules WHERE plan_id = :plan_id")
_COUNT = text("SELECT count(*) FROM rules WHERE plan_id = :plan_id")
_STORE = text("""
INSERT INTO rules (plan_id, rule_id, name, territory_id, position, condition)
SELECT :plan_id, i.rule_id, i.name, i.territory_id, i.position, CAST(i.condition AS jsonb)
FROM unnest(CAST(:rule_ids AS uuid[]), CAST(:names AS text[]), CAST(:territory_ids AS uuid[]),
            CAST(:positions AS int[]), CAST(:conditions AS text[]))
    AS i (rule_id, name, territory_id, position, condition)
ON CONFLICT (plan_id, rule_id) DO UPDATE
SET name = excluded.name, territory_id = excluded.territory_id, position = excluded.position,
    condition = excluded.condition
""")
_TERRITORY_OF = text("SELECT territory_id FROM rules WHERE plan_id = :plan_id AND rule_id = :rule_id")
_DELETE = text("DELETE FROM rules WHERE plan_id = :plan_id AND rule_id = :rule_id")
_COPY = text("""
INSERT INTO rules (plan_id, rule_id, name, territory_id, position, condition)
SELECT :target, rule_id, name, territory_id, position, condition FROM rules WHERE plan_id = :source
""")


@dataclass(frozen=True, slots=True)
class ReplaceRules:
    """Give a draft a whole new set of rules."""

    draft: DraftAsRead
    rules: tuple[RuleText, ...]


@dataclass(frozen=True, slots=True)
class SetRule:
    """Add one rule to a draft, or change it."""

    draft: DraftAsRead
    rule: RuleText
    scope: Scope


@dataclass(frozen=True, slots=True)
class RemoveRule:
    """Take one rule out of a draft."""

    draft: DraftAsRead
    rule_id: UUID
    scope: Scope


@dataclass(frozen=True, slots=True)
class RevisedRules:
    """The rules that were stored, and the version of the plan this made."""

    version: int
    rules: tuple[Rule, ...] = ()


async def replace_rules(command: ReplaceRules, uow: UnitOfWork) -> RevisedRules:
    """Store the rules whole. Raises InvalidRules, PlanNotDraft, VersionMismatch, NotFound."""
    plan_id = command.draft.plan_id
    version = await revise_draft(uow, command.draft)
    rules = check_rules(command.rules, territories=await _territories(uow, plan_id))
    await uow.connection.execute(_CLEAR, {"plan_id": plan_id})
    await _store(uow, plan_id, rules)
    return RevisedRules(version, rules)


async def set_rule(command: SetRule, uow: UnitOfWork) -> RevisedRules:
    """Add or change one rule; the territories it leaves and reaches must lie in the caller's scope.

    Raises InvalidRules, PlanNotDraft, VersionMismatch, NotFound.
    """
    plan_id = command.draft.plan_id
    version = await revise_draft(uow, command.draft)
    before = await _territory_of(uow, plan_id, command.rule.rule_id)
    if not command.scope.everything:
        wanted = {command.rule.territory_id} | ({before} if before else set())
        await require_in_scope(uow.connection, plan_id, wanted, scope=command.scope)
    rules = check_rules([command.rule], territories=await _territories(uow, plan_id), pointer="")
    if before is None:
        await _require_room(uow, plan_id)
    await _store(uow, plan_id, rules)
    return RevisedRules(version, rules)


async def remove_rule(command: RemoveRule, uow: UnitOfWork) -> RevisedRules:
    """Take a rule out of a draft. Raises PlanNotDraft, VersionMismatch, NotFound."""
    plan_id = command.draft.plan_id
    version = await revise_draft(uow, command.draft)
    territory_id = await _territory_of(uow, plan_id, command.rule_id)
    if territory_id is None:
        raise NotFound("rule_id: the plan has no such rule.")
    await require_in_scope(uow.connection, plan_id, {territory_id}, scope=command.scope)
    await uow.connection.execute(_DELETE, {"plan_id": plan_id, "rule_id": command.rule_id})
    return RevisedRules(version)


async def copy_rules(uow: UnitOfWork, *, source: UUID, target: UUID) -> None:
    """Give one plan the rules of another, rule ids and all."""
    await uow.connection.execute(_COPY, {"source": source, "target": target})


async def _territories(uow: UnitOfWork, plan_id: UUID) -> frozenset[UUID]:
    tree = await load_tree(uow.connection, plan_id)
    return frozenset(node.territory_id for node in tree.territories)


async def _territory_of(uow: UnitOfWork, plan_id: UUID, rule_id: UUID) -> UUID | None:
    found = await uow.connection.execute(_TERRITORY_OF, {"plan_id": plan_id, "rule_id": rule_id})
    territory_id: UUID | None = found.scalar_one_or_none()
    return territory_id


async def _require_room(uow: UnitOfWork, plan_id: UUID) -> None:
    count = (await uow.connection.execute(_COUNT, {"plan_id": plan_id})).scalar_one()
    if count >= MAX_RULES:
        raise InvalidRules(f"rules: a plan has at most {MAX_RULES}; join rules of one territory with any.")


async def _store(uow: UnitOfWork, plan_id: UUID, rules: Iterable[Rule]) -> None:
    rules = list(rules)
    await uow.connection.execute(
        _STORE,
        {
            "plan_id": plan_id,
            "rule_ids": [rule.rule_id for rule in rules],
            "names": [rule.name for rule in rules],
            "territory_ids": [rule.territory_id for rule in rules],
            "positions": [rule.position for rule in rules],
            "conditions": [json.dumps(describe_condition(rule.condition)) for rule in rules],
        },
    )
