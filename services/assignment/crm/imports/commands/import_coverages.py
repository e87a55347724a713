"""Take over who covers which territory, from now on."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.assignment.certifications.refusals import RepNotCertified
from services.assignment.crm.import_report import ImportReport
from services.assignment.crm.imports.coverages import CoverageRow, read_coverages
from services.assignment.crm.imports.document import COVERAGES
from services.assignment.crm.references import References
from services.assignment.crm.shapes import WrongRecord
from services.assignment.reps.coverages.commands.start_coverage import StartCoverage, start_coverage
from services.assignment.reps.coverages.coverage import Role
from services.assignment.reps.coverages.queries import list_running
from services.assignment.reps.coverages.refusals import CoverageOverlaps, RepAlreadyCovers
from services.assignment.reps.queries import hold_reps
from shared.db.attempt import attempt
from shared.db.scope import EVERYWHERE
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound


async def import_coverages(
    records: Sequence[Any], references: References, report: ImportReport, uow: UnitOfWork
) -> None:
    """Start the coverages that do not run yet; who covered before hands over now."""
    rows = list(read_coverages(COVERAGES, records, references, report))
    known = await hold_reps(uow.connection, [row.rep_id for row in rows])
    territory_ids = [row.territory_id for row in rows]
    running = {
        covering.territory_id: covering.rep_id
        for covering in await list_running(uow.connection, territory_ids, role=Role.PRIMARY, at=uow.now)
    }
    for row in rows:
        before = running.get(row.territory_id)
        try:
            _check_rep(row, known)
            if before != row.rep_id:
                await _start(row, uow)
        except WrongRecord as wrong:
            report.refuse(row.row, wrong)
            continue
        report.take(COVERAGES, known=before is not None, same=before == row.rep_id)


def _check_rep(row: CoverageRow, known: Collection[UUID]) -> None:
    if row.rep_id not in known:
        raise WrongRecord("UserId", "no rep has this id; send the User before or beside", "unknown-reference")


async def _start(row: CoverageRow, uow: UnitOfWork) -> None:
    command = StartCoverage(
        row.territory_id,
        row.rep_id,
        Role.PRIMARY,
        share_percent=Decimal(100),
        valid_from=None,
        valid_to=None,
        holdover=None,
        scope=EVERYWHERE,
    )
    try:
        await attempt(start_coverage, command, uow)
    except NotFound:
        raise WrongRecord("Territory2Id", "no plan has such a territory", "unknown-reference") from None
    except RepNotCertified as refused:
        raise WrongRecord("UserId", refused.detail, "conflict") from None
    except (CoverageOverlaps, RepAlreadyCovers) as refused:
        raise WrongRecord("Territory2Id", refused.detail, "conflict") from None
