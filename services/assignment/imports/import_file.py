"""Reads a whole file into what is right and what is not, row by row; pure, so that it can run in a thread."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from services.assignment.accounts.account import AccountDetails
from services.assignment.imports import cells
from services.assignment.imports.cells import Misfit
from services.assignment.imports.file_rows import MAX_ROWS, read_rows
from services.assignment.imports.refusals import UnreadableFile
from services.assignment.reps.rep import RepDetails
from services.assignment.texts import NotText, tidy

MAX_ERRORS = 1_000
HALF = "latitude and longitude come together or not at all"

T = TypeVar("T")
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was not taken, and why."""

    row: int
    external_id: str | None
    field: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class ImportFile(Generic[T]):
    """What a file holds: the rows that are right, and the first thousand that are not."""

    received: int
    rejected: int
    rows: tuple[T, ...]
    errors: tuple[RowError, ...]


def read_account(fields: Fields) -> AccountDetails:
    """Return the account of a row. Raises Misfit."""
    latitude = cells.read_degrees(fields, "latitude", limit=90)
    longitude = cells.read_degrees(fields, "longitude", limit=180)
    if (latitude is None) != (longitude is None):
        raise Misfit("latitude", HALF)
    return AccountDetails(
        external_id=cells.read_needed_text(fields, "external_id", longest=128),
        name=cells.read_needed_text(fields, "name", longest=200),
        postal_code=cells.read_postal_code(fields),
        county=cells.read_county(fields),
        state=cells.read_state(fields),
        latitude=latitude,
        longitude=longitude,
        industry=cells.read_text(fields, "industry", longest=200),
        employees=cells.read_whole(fields, "employees"),
    )


def read_rep(fields: Fields) -> RepDetails:
    """Return the rep of a row. Raises Misfit."""
    return RepDetails(
        external_id=cells.read_needed_text(fields, "external_id", longest=128),
        name=cells.read_needed_text(fields, "name", longest=200),
        postal_code=cells.read_postal_code(fields),
        languages=cells.read_languages(fields),
        industries=cells.read_list(fields, "industries", longest=200),
        need_kinds=cells.read_need_kinds(fields),
    )


COLUMNS: Mapping[Callable[[Fields], Any], tuple[str, ...]] = MappingProxyType(
    {
        read_account: tuple(AccountDetails.__dataclass_fields__),
        read_rep: tuple(RepDetails.__dataclass_fields__),
    }
)


def read_import_file(content_type: str, body: bytes, read_row: Callable[[Fields], T]) -> ImportFile[T]:
    """Read every row. Raises UnreadableFile or UnsupportedFormat when the file as a whole will not do."""
    rows: dict[str, T] = {}
    errors: list[RowError] = []
    received = rejected = 0
    for row in read_rows(content_type, body, known=COLUMNS[read_row]):
        received += 1
        if received > MAX_ROWS:
            raise UnreadableFile(f"More than {MAX_ROWS} rows; send the file in parts.", row=row.number)
        try:
            if row.problem is not None:
                raise Misfit("", row.problem)  # noqa: TRY301 - one place counts what is rejected
            one = read_row(row.fields)
            external_id = one.external_id  # type: ignore[attr-defined]
            if external_id in rows:
                raise Misfit("external_id", "stands in the file twice; the first row was taken")  # noqa: TRY301
            rows[external_id] = one
        except Misfit as misfit:
            rejected += 1
            if len(errors) < MAX_ERRORS:
                errors.append(_error(row.number, row.fields, misfit))
    if received == 0:
        raise UnreadableFile("The file has no rows.", row=1)
    return ImportFile(received, rejected, tuple(rows.values()), tuple(errors))


def _error(number: int, fields: Fields, misfit: Misfit) -> RowError:
    return RowError(number, _named(fields), misfit.field or None, misfit.detail)


def _named(fields: Fields) -> str | None:
    named = fields.get("external_id")
    try:
        return tidy(named[:128]) if isinstance(named, str) else None
    except NotText:
        # What cannot be stored cannot be answered with either.
        return None
