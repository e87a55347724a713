"""Take over a CRM's document: what is right in it is stored together, or, in a dry run, only told."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import text

from services.assignment.accounts.queries import hold_details
from services.assignment.crm.commands import keep_field_changes, keep_halves
from services.assignment.crm.import_report import ImportReport
from services.assignment.crm.imports.accounts import KnownAccounts, merge_accounts, tell_accounts
from services.assignment.crm.imports.commands.import_coverages import import_coverages
from services.assignment.crm.imports.commands.import_plan import ImportedPlan, import_plan
from services.assignment.crm.imports.details import REP, merge_reps, tell_rows
from services.assignment.crm.imports.document import ACCOUNTS, REPS, Document
from services.assignment.crm.queries import find_halves, find_newer_fields, load_references
from services.assignment.crm.references import References
from services.assignment.crm.salesforce.coverage_reader import COVERAGES
from services.assignment.crm.shapes import System
from services.assignment.imports.commands import ImportAccounts, ImportReps, import_accounts, import_reps
from services.assignment.imports.import_file import ImportFile
from services.assignment.plans.commands.switch_live_plan import hold_live_plan
from services.assignment.reps.queries import hold_reps
from shared.db.rehearsal import rehearse
from shared.db.unit_of_work import UnitOfWork

_KEEP = text("""
INSERT INTO crm_references (system, kind, external_id, our_id, recorded_at)
SELECT :system, i.kind, i.external_id, i.our_id, :now
FROM unnest(CAST(:kinds AS text[]), CAST(:external_ids AS text[]), CAST(:our_ids AS uuid[]))
    AS i (kind, external_id, our_id)
ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class ImportDocument:
    """Take over what a document holds; in a dry run nothing of it stays."""

    system: System
    document: Document
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a document."""

    dry_run: bool
    aligned: int
    plan: ImportedPlan | None
    report: ImportReport


async def import_document(command: ImportDocument, uow: UnitOfWork) -> Imported:
    """Register or change what the document tells of, by external id.

    Raises PlanNotDraft when it would change a plan that was live, PlanBusy.
    """
    return await (rehearse(_import, command, uow) if command.dry_run else _import(command, uow))


async def _import(command: ImportDocument, uow: UnitOfWork) -> Imported:
    report = ImportReport()
    # Before any account, as whoever aligns accounts holds it.
    await hold_live_plan(uow)
    aligned = await _import_accounts(command, report, uow)
    await _import_reps(command, report, uow)
    plan = None
    if command.system is System.SALESFORCE:
        references = await load_references(uow.connection, command.system)
        plan = await import_plan(command.document, references, report, uow)
        await import_coverages(command.document[COVERAGES], references, report, uow)
        await _keep(references, uow)
    return Imported(command.dry_run, aligned, plan, report)


async def _import_accounts(command: ImportDocument, report: ImportReport, uow: UnitOfWork) -> int:
    system, name = command.system, ACCOUNTS[command.system]
    # Tens of thousands of records are seconds of pure work: elsewhere, so that the api goes on answering.
    rows = await asyncio.to_thread(tell_accounts, system, name, command.document[name], report, now=uow.now)
    told = {one.row.our_id: one.changed_at for one in rows}
    details = await hold_details(uow.connection, told)
    known = KnownAccounts(
        details,
        halves=await find_halves(uow.connection, told),
        newer=await find_newer_fields(uow.connection, system, told),
    )
    merged = await asyncio.to_thread(merge_accounts, system, rows, known, report)
    file = ImportFile(len(merged.details), 0, tuple(merged.details), ())
    stored = await import_accounts(ImportAccounts(file, frozenset(told.keys() - details.keys())), uow)
    await keep_field_changes(uow, system, merged.changes)
    await keep_halves(uow, merged.halves)
    return stored.aligned


async def _import_reps(command: ImportDocument, report: ImportReport, uow: UnitOfWork) -> None:
    name = REPS[command.system]
    rows = tell_rows(REP, command.system, name, command.document[name], report)
    known = await hold_reps(uow.connection, [row.our_id for row in rows])
    merged = merge_reps(command.system, rows, known, report)
    unknown = frozenset(row.our_id for row in rows if row.our_id not in known)
    await import_reps(ImportReps(ImportFile(len(merged), 0, tuple(merged), ()), unknown), uow)


async def _keep(references: References, uow: UnitOfWork) -> None:
    added = list(references.added.items())
    await uow.connection.execute(
        _KEEP,
        {
            "system": references.system,
            "kinds": [kind for (kind, _), _ in added],
            "external_ids": [external_id for (_, external_id), _ in added],
            "our_ids": [our_id for _, our_id in added],
            "now": uow.now,
        },
    )
