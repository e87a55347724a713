"""Take over Territory2Model with its territories and rules as a draft; what the document leaves out stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.assignment.crm.import_report import ImportReport, Row, read_rows
from services.assignment.crm.imports.document import MODELS, Document
from services.assignment.crm.imports.refusals import UnreadableDocument
from services.assignment.crm.references import PLAN, References
from services.assignment.crm.salesforce.rule_reader import (
    ITEMS,
    PLACES,
    RULES,
    KnownRules,
    RuleRecords,
    read_rules,
    write_text,
)
from services.assignment.crm.salesforce.territory_reader import TERRITORIES, TYPES, read_territories
from services.assignment.crm.shapes import WrongRecord
from services.assignment.plans.commands.draft_plan import DraftPlan, draft_plan
from services.assignment.plans.commands.revise_draft import DraftAsRead, lock_plan
from services.assignment.plans.plan import Plan
from services.assignment.plans.queries import find_plan
from services.assignment.rules.commands import ReplaceRules, replace_rules
from services.assignment.rules.queries import load_rules
from services.assignment.rules.rule import RuleText
from services.assignment.territories.commands.replace_tree import ReplaceTree, replace_tree
from services.assignment.territories.queries import load_tree
from services.assignment.territories.tree import Tree
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class ImportedPlan:
    """The plan that a document is about, at the version that it has now."""

    plan_id: UUID
    version: int


async def import_plan(
    document: Document, references: References, report: ImportReport, uow: UnitOfWork
) -> ImportedPlan | None:
    """Add the document's territories and rules to its plan, or change them there. Raises PlanNotDraft, PlanBusy."""
    if not document[MODELS]:
        return None
    plan = await _plan(document, references, report, uow)
    tree = await load_tree(uow.connection, plan.plan_id)
    rules = await load_rules(uow.connection, plan.plan_id)
    planted = read_territories(document[TERRITORIES], document[TYPES], tree, references, report)
    records = RuleRecords(document[RULES], document[ITEMS], document[PLACES])
    texts = read_rules(records, KnownRules(tree, rules), planted, references, report)
    if set(planted.territories) != set(tree.territories):
        plan = await _replace_tree(plan, planted, uow)
    if texts != [write_text(rule) for rule in rules]:
        await _replace_rules(plan, texts, uow)
    return ImportedPlan(plan.plan_id, (await find_plan(uow.connection, plan.plan_id)).version)


async def _plan(document: Document, references: References, report: ImportReport, uow: UnitOfWork) -> Plan:
    row = next(read_rows(MODELS, document[MODELS], report), None)
    if row is None:
        raise UnreadableDocument(f"{MODELS}/Id: is missing; the model's id in Salesforce, in quotes.")
    plan_id = references.find(PLAN, row.external_id)
    references.add(PLAN, row.external_id, plan_id)
    try:
        name = row.needed_text("Name")
    except WrongRecord as wrong:
        raise UnreadableDocument(f"{MODELS}/{wrong.field}: {wrong.detail}.") from None
    try:
        plan = await lock_plan(uow, plan_id)
    except NotFound:
        report.take(MODELS, known=False, same=False)
        return await draft_plan(DraftPlan(name, plan_id), uow)
    _compare(row, name, plan, report)
    return plan


def _compare(row: Row, name: str, plan: Plan, report: ImportReport) -> None:
    if name == plan.name:
        report.take(MODELS, known=True, same=True)
    else:
        report.refuse(
            row, WrongRecord("Name", f"the plan is called {plan.name!r} and keeps its name", "conflict")
        )


async def _replace_tree(plan: Plan, tree: Tree, uow: UnitOfWork) -> Plan:
    plan.check_editable(plan.version)
    await replace_tree(ReplaceTree(DraftAsRead(plan.plan_id, plan.version), tree.territories), uow)
    return await lock_plan(uow, plan.plan_id)


async def _replace_rules(plan: Plan, texts: Sequence[RuleText], uow: UnitOfWork) -> None:
    await replace_rules(ReplaceRules(DraftAsRead(plan.plan_id, plan.version), tuple(texts)), uow)
