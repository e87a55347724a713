"""Reads UserTerritory2Association: which rep covers which territory, as what, with which share and how long. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from services.assignment.crm.import_report import ImportReport, Row, read_rows
from services.assignment.crm.instant import read_instant
from services.assignment.crm.references import TERRITORY, References
from services.assignment.crm.shapes import WrongRecord
from services.assignment.reps.coverages.coverage import WHOLE, Role, RunningCoverage
from shared.contracts.identity import rep_id_of

COVERAGES = "UserTerritory2Association"
ROLE_FIELD, OUR_ROLE_FIELD = "RoleInTerritory2", "Bailiwick_Role__c"
SHARE_FIELD = "Bailiwick_Share__c"
BEGIN_FIELD, END_FIELD = "Bailiwick_ValidFrom__c", "Bailiwick_ValidTo__c"
_ROLES = ", ".join(Role)
_CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """A row: who covers what as what. None is not told; of the end, `tells_end` says whether None is told."""

    row: Row
    rep_id: UUID
    territory_id: UUID
    role: Role
    share_percent: Decimal | None
    valid_from: datetime | None
    valid_to: datetime | None
    tells_end: bool

    def share_beside(self, running: RunningCoverage | None) -> Decimal:
        """Return the share that the row asks for; what it does not tell stays as it runs."""
        if self.share_percent is not None:
            return self.share_percent
        return WHOLE if running is None else running.share_percent

    def end_beside(self, running: RunningCoverage | None) -> datetime | None:
        """Return the end that the row asks for; what it does not tell stays as it runs."""
        return self.valid_to if self.tells_end or running is None else running.valid_to


def read_coverages(
    records: Sequence[Any], references: References, report: ImportReport
) -> Iterator[CoverageRow]:
    """Walk the coverages of a document."""
    for row in read_rows(COVERAGES, records, report, needs_id=False):
        try:
            found = _read(row, references)
        except WrongRecord as wrong:
            report.refuse(row, wrong)
            continue
        yield found


def _read(row: Row, references: References) -> CoverageRow:
    row.active()
    return CoverageRow(
        row,
        rep_id_of(row.reference("UserId")),
        references.find(TERRITORY, row.reference("Territory2Id")),
        _role(row),
        _share(row),
        _instant(row, BEGIN_FIELD),
        _instant(row, END_FIELD),
        tells_end=END_FIELD in row.record,
    )


def _role(row: Row) -> Role:
    # RoleInTerritory2 is a picklist in which every organisation has words of its own.
    named = row.text(OUR_ROLE_FIELD) or row.text(ROLE_FIELD) or Role.PRIMARY
    if named.lower() not in set(Role):
        raise WrongRecord(
            ROLE_FIELD,
            f"one of {_ROLES}, or blank for {Role.PRIMARY}; where it has another name, say it in {OUR_ROLE_FIELD}",
            "unsupported",
        )
    return Role(named.lower())


def _share(row: Row) -> Decimal | None:
    raw = row.record.get(SHARE_FIELD)
    if raw is None or raw == "":
        return None
    try:
        share = Decimal(str(raw)) if isinstance(raw, int | float | str) else Decimal(0)
        fits = 0 < share <= WHOLE and share == share.quantize(_CENTS)
    except InvalidOperation:
        fits = False
    if not fits:
        raise WrongRecord(SHARE_FIELD, "per cent above 0, up to 100, with at most two decimals")
    return share


def _instant(row: Row, field: str) -> datetime | None:
    raw = row.record.get(field)
    return None if raw is None or raw == "" else read_instant(raw, field)
