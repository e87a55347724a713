"""The CDNOW sample (see NOTICE.md): customers whose fits are published."""

import csv
import gzip
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CUT_OFF = date(1997, 9, 30)


class Customer(NamedTuple):
    """A customer of the summary; times in weeks."""

    x: float
    t_x: float
    age: float
    mean: float


class Purchase(NamedTuple):
    """A purchase of the log."""

    customer: str
    on: date
    amount: Decimal


def customers() -> list[Customer]:
    """Read the summary."""
    return [Customer(*(float(row[name]) for name in ("x", "t_x", "T", "zbar"))) for row in _rows("summary")]


def purchases() -> list[Purchase]:
    """Read the log."""
    return [
        Purchase(row["id"], date.fromisoformat(row["date"]), Decimal(row["dollars"]))
        for row in _rows("sample_log")
    ]


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(HERE / f"{name}.csv.gz", "rt", encoding="ascii") as file:
        yield from csv.DictReader(file)
