"""Reads records of accounts over what is known: what a record does not tell stays, and so does what is newer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.assignment.accounts.account import AccountDetails
from services.assignment.crm.field_change import FieldsChanged
from services.assignment.crm.import_report import ImportReport
from services.assignment.crm.imports.details import ACCOUNT, ToldRow, known_fields, tell_rows, wrong_of
from services.assignment.crm.instant import read_stamp
from services.assignment.crm.position import LIMITS, Half, lay_over
from services.assignment.crm.shapes import System, WrongRecord
from services.assignment.imports.cells import Misfit
from services.assignment.imports.import_file import HALF


@dataclass(frozen=True, slots=True)
class StampedRow:
    """A row that tells of an account, and the instant at which the CRM had it so."""

    row: ToldRow
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class KnownAccounts:
    """What is known of the accounts that are told of, and which of their fields changed after what is told."""

    details: Mapping[UUID, AccountDetails]
    halves: Mapping[UUID, Half]
    newer: Mapping[UUID, frozenset[str]]


@dataclass(slots=True)
class MergedAccounts:
    """The accounts of every row that is right, whether or not they differ, and when which fields were so."""

    details: list[AccountDetails] = field(default_factory=list)
    changes: list[FieldsChanged] = field(default_factory=list)
    halves: dict[UUID, Half | None] = field(default_factory=dict)


def tell_accounts(
    system: System, name: str, records: Sequence[Any], report: ImportReport, *, now: datetime
) -> list[StampedRow]:
    """Return what the records of accounts tell, and as of when; wrong ones are refused."""
    rows = []
    for one in tell_rows(ACCOUNT, system, name, records, report):
        try:
            rows.append(StampedRow(one, read_stamp(system, one.row.record, now=now)))
        except WrongRecord as wrong:
            report.refuse(one.row, wrong)
    return rows


def merge_accounts(
    system: System, rows: Sequence[StampedRow], known: KnownAccounts, report: ImportReport
) -> MergedAccounts:
    """Lay every row over what is known, but for what changed in the CRM after it."""
    merged = MergedAccounts()
    for one in rows:
        told, account_id = one.row.told, one.row.our_id
        account = known.details.get(account_id)
        newer = known.newer.get(account_id, frozenset())
        fields = {name: value for name, value in told.fields.items() if name not in newer}
        before = {**known_fields(account), "external_id": told.external_id}
        waiting = known.halves.get(account_id)
        try:
            # A wrong value is told even where a newer one holds.
            as_told = _read_whole(before, waiting, told.fields)
            details, half = lay_over(before, waiting, fields)
        except Misfit as misfit:
            report.refuse(one.row.row, wrong_of(misfit, told, system))
            continue
        if account is not None and not fields and as_told != account:
            report.pass_over(one.row.row.object)
            continue
        report.take(one.row.row.object, known=account is not None, same=account == details)
        merged.details.append(details)
        if half != waiting:
            merged.halves[account_id] = half
        if fields:
            merged.changes.append(FieldsChanged(account_id, tuple(fields), one.changed_at))
    return merged


def _read_whole(before: dict[str, Any], waiting: Half | None, told: Mapping[str, Any]) -> AccountDetails:
    """Return an account as a record tells it: no other record will bring the other half of its position."""
    details, half = lay_over(before, waiting, told)
    if half is not None and not told.keys().isdisjoint(LIMITS):
        raise Misfit("latitude", HALF)
    return details
