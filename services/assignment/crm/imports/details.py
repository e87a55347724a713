"""Reads records of accounts and reps over what is known of them: what a record does not tell stays. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.assignment.accounts.account import AccountDetails
from services.assignment.crm.import_report import ImportReport, Row, read_rows
from services.assignment.crm.shapes import (
    System,
    Told,
    WrongRecord,
    read_account_record,
    read_rep_record,
    refuse_deleted,
)
from services.assignment.imports.cells import Misfit
from services.assignment.imports.import_file import read_account, read_rep
from services.assignment.reps.rep import RepDetails
from shared.contracts.identity import account_id_of, rep_id_of

D = TypeVar("D", AccountDetails, RepDetails)


@dataclass(frozen=True, slots=True)
class Kind(Generic[D]):
    """How records of one kind are read into details."""

    tell: Callable[[System, object], Told]
    read: Callable[[dict[str, Any]], D]
    id_of: Callable[[str], UUID]


ACCOUNT = Kind(read_account_record, read_account, account_id_of)
REP = Kind(read_rep_record, read_rep, rep_id_of)


@dataclass(frozen=True, slots=True)
class ToldRow:
    """A row with what it tells, and whom of."""

    row: Row
    told: Told
    our_id: UUID


def tell_rows(
    kind: Kind[D], system: System, name: str, records: Sequence[Any], report: ImportReport
) -> list[ToldRow]:
    """Return what the rows of an object tell; those that tell nothing readable are refused."""
    rows = []
    for row in read_rows(name, records, report, id_field="Id" if system is System.SALESFORCE else "id"):
        try:
            refuse_deleted(system, row.record)
            told = kind.tell(system, row.record)
        except WrongRecord as wrong:
            report.refuse(row, wrong)
        else:
            rows.append(ToldRow(row, told, kind.id_of(told.external_id)))
    return rows


def merge_rows(
    kind: Kind[D], system: System, rows: Sequence[ToldRow], known: Mapping[UUID, D], report: ImportReport
) -> list[D]:
    """Return the details of every row that is right, whether or not they differ from what is known."""
    merged = []
    for row in rows:
        before = known.get(row.our_id)
        try:
            details = kind.read(
                {
                    **_known(before),
                    **row.told.fields,
                    "external_id": row.told.external_id,
                }
            )
        except Misfit as misfit:
            report.refuse(row.row, _wrong(misfit, row.told, system))
            continue
        report.take(row.row.object, known=before is not None, same=before == details)
        merged.append(details)
    return merged


def _wrong(misfit: Misfit, told: Told, system: System) -> WrongRecord:
    missing = told.fields.get(misfit.field) is None
    return WrongRecord(
        told.named(misfit.field, system), misfit.detail, "missing" if missing else "invalid-value"
    )


def _known(details: AccountDetails | RepDetails | None) -> dict[str, Any]:
    if details is None:
        return {}
    # Lists are read as JSON has them.
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(details).items()
    }
