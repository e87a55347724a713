"""Take over who covers which territory: what runs already as it is told is left alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from services.assignment.certifications.refusals import RepNotCertified
from services.assignment.crm.import_report import ImportReport
from services.assignment.crm.references import References
from services.assignment.crm.salesforce.coverage_reader import (
    BEGIN_FIELD,
    COVERAGES,
    END_FIELD,
    ROLE_FIELD,
    SHARE_FIELD,
    CoverageRow,
    read_coverages,
)
from services.assignment.crm.shapes import Code, WrongRecord
from services.assignment.reps.coverages.commands.end_coverage import EndCoverage, end_coverage
from services.assignment.reps.coverages.commands.start_coverage import StartCoverage, start_coverage
from services.assignment.reps.coverages.coverage import ONE_AT_A_TIME, Role, RunningCoverage
from services.assignment.reps.coverages.queries import list_running
from services.assignment.reps.coverages.refusals import (
    CoverageEnds,
    CoverageOverlaps,
    RepAlreadyCovers,
    SharesExceedWhole,
    ValidFromAhead,
    ValidToPast,
)
from services.assignment.reps.queries import hold_reps
from shared.db.attempt import attempt
from shared.db.scope import EVERYWHERE
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound, Refusal

_WRONG: Mapping[type[Refusal], tuple[str, Code]] = MappingProxyType(
    {
        NotFound: ("Territory2Id", "unknown-reference"),
        RepNotCertified: ("UserId", "conflict"),
        CoverageOverlaps: ("Territory2Id", "conflict"),
        RepAlreadyCovers: ("UserId", "conflict"),
        SharesExceedWhole: (SHARE_FIELD, "conflict"),
        ValidFromAhead: (BEGIN_FIELD, "invalid-value"),
        ValidToPast: (END_FIELD, "invalid-value"),
        CoverageEnds: (END_FIELD, "conflict"),
    }
)


@dataclass(frozen=True, slots=True)
class _Change:
    """A row that asks for something else than what runs, and the same rep's coverage that runs."""

    row: CoverageRow
    running: RunningCoverage | None


async def import_coverages(
    records: Sequence[Any], references: References, report: ImportReport, uow: UnitOfWork
) -> None:
    """Start the coverages that do not run yet, and change those that run otherwise.

    Who had a role alone hands over. What was refused is no row before the next.
    """
    rows = list(read_coverages(records, references, report))
    known = await hold_reps(uow.connection, [row.rep_id for row in rows])
    territory_ids = [row.territory_id for row in rows]
    running = {
        (one.territory_id, one.role, one.rep_id): one
        for one in await list_running(uow.connection, territory_ids, at=uow.now)
    }
    places = {(territory_id, role) for territory_id, role, _ in running}
    taken: set[tuple[object, ...]] = set()
    for row in sorted(rows, key=lambda row: not _frees(row, running.get(_key(row)))):
        before = running.get(_key(row))
        same = before is not None and _is_as_told(row, before)
        try:
            _check(row, known, taken)
            if not same:
                await _change(_Change(row, before), uow)
        except WrongRecord as wrong:
            report.refuse(row.row, wrong)
            continue
        taken |= {_key(row), _place(row)}
        replaces = row.role in ONE_AT_A_TIME and _place(row) in places
        report.take(COVERAGES, known=before is not None or replaces, same=same)


def _key(row: CoverageRow) -> tuple[UUID, str, UUID]:
    return row.territory_id, row.role, row.rep_id


def _place(row: CoverageRow) -> tuple[UUID, str]:
    return row.territory_id, row.role


def _frees(row: CoverageRow, running: RunningCoverage | None) -> bool:
    """Tell whether a row gives back some of a shared role: such come first, so that others can have it."""
    return (
        running is not None
        and row.role not in ONE_AT_A_TIME
        and row.share_beside(running) < running.share_percent
    )


def _is_as_told(row: CoverageRow, running: RunningCoverage) -> bool:
    # What runs keeps its beginning, whatever is told of it.
    return (row.share_beside(running), row.end_beside(running)) == (running.share_percent, running.valid_to)


def _check(row: CoverageRow, known: Collection[UUID], taken: Collection[tuple[object, ...]]) -> None:
    if row.rep_id not in known:
        raise WrongRecord("UserId", "no rep has this id; send the User before or beside", "unknown-reference")
    if _key(row) in taken:
        raise WrongRecord("UserId", "covers the territory in this role by a row before", "duplicate")
    if row.role in ONE_AT_A_TIME and _place(row) in taken:
        raise WrongRecord(
            "Territory2Id",
            f"has its {row.role} rep by a row before; name another role in {ROLE_FIELD}: {Role.OVERLAY} is shared",
            "duplicate",
        )


async def _change(change: _Change, uow: UnitOfWork) -> None:
    if change.row.role is Role.HOLDOVER and change.row.end_beside(change.running) is None:
        raise WrongRecord(END_FIELD, "is missing: a holdover is kept until an instant", "missing")
    try:
        await attempt(_carry_out, change, uow)
    except Refusal as refused:
        if type(refused) not in _WRONG:
            raise
        field, code = _WRONG[type(refused)]
        # It names our field first.
        raise WrongRecord(field, refused.detail.partition(": ")[2], code) from None


async def _carry_out(change: _Change, uow: UnitOfWork) -> None:
    row, running = change.row, change.running
    end, share = row.end_beside(running), row.share_beside(running)
    if running is not None:
        ends_earlier = end is not None and (running.valid_to is None or end < running.valid_to)
        if ends_earlier and share == running.share_percent:
            await end_coverage(EndCoverage(running.coverage_id, end, EVERYWHERE), uow)
            return
        await end_coverage(EndCoverage(running.coverage_id, None, EVERYWHERE), uow)
    await start_coverage(
        StartCoverage(
            row.territory_id,
            row.rep_id,
            row.role,
            share_percent=share,
            valid_from=row.valid_from if running is None else None,
            valid_to=end,
            holdover=None,
            scope=EVERYWHERE,
        ),
        uow,
    )
