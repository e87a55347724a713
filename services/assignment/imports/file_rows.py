"""Reads the rows of a CSV or NDJSON file: text stays text, a blank cell is a missing value, nothing is guessed."""

import csv
import io
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from services.assignment.imports.refusals import UnreadableFile, UnsupportedFormat

CSV, NDJSON = "text/csv", "application/x-ndjson"
MAX_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row as it stands in the file; `number` is its line, `problem` why it could not be read."""

    number: int
    fields: dict[str, Any]
    problem: str | None = None


def read_rows(content_type: str, body: bytes, *, known: Collection[str]) -> Iterator[FileRow]:
    """Walk the rows of a file whose columns are `known`. Raises UnreadableFile or UnsupportedFormat."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == CSV:
        return _read_csv(_decode(body), known)
    if kind in {NDJSON, "application/ndjson", "application/jsonl"}:
        return _read_ndjson(_decode(body), known)
    raise UnsupportedFormat(f"Content-Type: send {CSV} or {NDJSON}.")


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = body.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"Row {row}: not UTF-8 (byte 0x{body[error.start]:02x}). Save the file as UTF-8; "
            "it looks like Latin-1 or Windows-1252.",
            row=row,
        ) from None


def _read_csv(text: str, known: Collection[str]) -> Iterator[FileRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        _check_header(columns, known)
        started = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _csv_row(started, columns, cells)
            started = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(f"Row {reader.line_num}: not CSV ({error}).", row=reader.line_num) from None


def _check_header(columns: list[str], known: Collection[str]) -> None:
    if not columns:
        raise UnreadableFile("Row 1: a CSV file begins with the names of its columns.", row=1)
    strangers = [name for name in columns if name not in known]
    if strangers:
        raise UnreadableFile(
            f"Row 1: unknown columns {', '.join(map(repr, strangers[:5]))}; known are {', '.join(known)}.",
            row=1,
        )
    if len(set(columns)) < len(columns):
        raise UnreadableFile("Row 1: a column stands here twice.", row=1)


def _csv_row(number: int, columns: list[str], cells: list[str]) -> FileRow:
    if len(cells) != len(columns):
        return FileRow(number, {}, f"{len(cells)} cells under {len(columns)} columns; quote text with commas")
    # "NA" is a territory, an industry, a country: only an empty cell is a missing value.
    return FileRow(number, {name: cell.strip() or None for name, cell in zip(columns, cells, strict=True)})


def _read_ndjson(text: str, known: Collection[str]) -> Iterator[FileRow]:
    # Not splitlines(): that also breaks at characters which JSON text may hold, such as U+2028.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _ndjson_row(number, line, known)


def _ndjson_row(number: int, line: str, known: Collection[str]) -> FileRow:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return FileRow(number, {}, "not a JSON object on one line")
    if not isinstance(fields, dict):
        return FileRow(number, {}, "not a JSON object on one line")
    strangers = [name for name in fields if name not in known]
    if strangers:
        return FileRow(number, {}, f"unknown field {strangers[0][:40]!r}; known are {', '.join(known)}")
    return FileRow(number, fields)
