"""Reads UserTerritory2Association: which rep covers which territory. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.assignment.crm.import_report import ImportReport, Row, read_rows
from services.assignment.crm.references import TERRITORY, References
from services.assignment.crm.shapes import WrongRecord
from services.assignment.reps.coverages.coverage import Role
from shared.contracts.identity import rep_id_of


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """A row, and the rep and territory that it names."""

    row: Row
    rep_id: UUID
    territory_id: UUID


def read_coverages(
    name: str, records: Sequence[Any], references: References, report: ImportReport
) -> Iterator[CoverageRow]:
    """Walk the coverages of a document, refusing a territory that has one by a row before."""
    covered: set[UUID] = set()
    for row in read_rows(name, records, report, needs_id=False):
        try:
            found = _read(row, references)
            if found.territory_id in covered:
                raise WrongRecord("Territory2Id", "has its primary rep by a row before", "duplicate")  # noqa: TRY301 - counted once
        except WrongRecord as wrong:
            report.refuse(row, wrong)
            continue
        covered.add(found.territory_id)
        yield found


def _read(row: Row, references: References) -> CoverageRow:
    row.active()
    role = row.text("RoleInTerritory2")
    if role is not None and role.lower() != Role.PRIMARY:
        raise WrongRecord(
            "RoleInTerritory2",
            f"{Role.PRIMARY}, or blank: who else sells there has no place here",
            "unsupported",
        )
    return CoverageRow(
        row,
        rep_id_of(row.reference("UserId")),
        references.find(TERRITORY, row.reference("Territory2Id")),
    )
