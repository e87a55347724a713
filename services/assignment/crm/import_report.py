"""What becomes of the rows of an import: taken as new, changed or as they were, or refused with field and fix."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.assignment.crm.shapes import NO_RECORD, Code, WrongRecord, read_id
from services.assignment.texts import NotText, tidy

MAX_ERRORS = 1_000
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken; `index` is its place in its list."""

    object: str
    index: int
    external_id: str | None
    field: str | None
    code: Code
    detail: str


@dataclass(slots=True)
class Tally:
    """The rows of one object: received = created + changed + unchanged + superseded + rejected."""

    received: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    superseded: int = 0
    rejected: int = 0


@dataclass(slots=True)
class ImportReport:
    """The tallies by object, and the first thousand rows that were refused."""

    objects: dict[str, Tally] = field(default_factory=dict)
    errors: list[RefusedRow] = field(default_factory=list)

    def tally(self, name: str) -> Tally:
        """Return the tally of an object."""
        return self.objects.setdefault(name, Tally())

    def refuse(self, row: "Row", wrong: WrongRecord) -> None:
        """Count a row as refused."""
        self.tally(row.object).rejected += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(
                RefusedRow(
                    row.object,
                    row.index,
                    row.external_id or None,
                    wrong.field or None,
                    wrong.code,
                    wrong.detail,
                )
            )

    def take(self, name: str, *, known: bool, same: bool) -> None:
        """Count a row as taken."""
        tally = self.tally(name)
        if same:
            tally.unchanged += 1
        elif known:
            tally.changed += 1
        else:
            tally.created += 1

    def pass_over(self, name: str) -> None:
        """Count a row as right, but older than all that is known of what it tells."""
        self.tally(name).superseded += 1


@dataclass(frozen=True, slots=True)
class Row:
    """One record of an object's list."""

    object: str
    index: int
    external_id: str
    record: Mapping[str, Any]

    def needed_text(self, name: str) -> str:
        """Return a text that must be there. Raises WrongRecord."""
        text = self.text(name)
        if text is None:
            raise WrongRecord(name, "is missing", "missing")
        return text

    def text(self, name: str) -> str | None:
        """Return a text, None for a blank. Raises WrongRecord."""
        raw = self.record.get(name)
        if raw is None or raw == "":
            return None
        if not isinstance(raw, str):
            raise WrongRecord(name, "text in quotes")
        try:
            text = tidy(raw)
        except NotText as reason:
            raise WrongRecord(name, str(reason)) from None
        if not 1 <= len(text) <= MAX_TEXT:
            raise WrongRecord(name, f"text of 1 to {MAX_TEXT} characters")
        return text

    def reference(self, name: str) -> str:
        """Return the id of another record. Raises WrongRecord."""
        return read_id(self.record.get(name), name)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a flag. Raises WrongRecord."""
        raw = self.record.get(name, default)
        if not isinstance(raw, bool):
            raise WrongRecord(name, "true or false")
        return raw

    def active(self) -> None:
        """Check that the record is in use. Raises WrongRecord."""
        if not self.flag("IsActive", default=True):
            raise WrongRecord(
                "IsActive", "what is not active is not taken over: activate it or leave it out", "unsupported"
            )


def read_rows(
    name: str, records: Sequence[Any], report: ImportReport, *, id_field: str = "Id", needs_id: bool = True
) -> Iterator[Row]:
    """Walk the records of an object, refusing those without an id and those whose id came before."""
    seen: set[str] = set()
    for index, record in enumerate(records):
        report.tally(name).received += 1
        try:
            external_id = _read_id(record, id_field, needs_id=needs_id)
        except WrongRecord as wrong:
            report.refuse(Row(name, index, "", {}), wrong)
            continue
        if external_id and external_id in seen:
            twice = WrongRecord(id_field, "stands in the list twice; the first was taken", "duplicate")
            report.refuse(Row(name, index, external_id, record), twice)
            continue
        seen.add(external_id)
        yield Row(name, index, external_id, record)


def _read_id(record: object, field: str, *, needs_id: bool) -> str:
    if not isinstance(record, Mapping):
        raise WrongRecord("", NO_RECORD)
    if not needs_id and record.get(field) is None:
        return ""
    return read_id(record.get(field), field)
