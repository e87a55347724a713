"""Exact numbers: decimals as text, and minor units of currencies (ISO 4217) so that sums are integers."""

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

PlainDecimal = Annotated[Decimal, PlainSerializer(lambda number: f"{number:f}", return_type=str)]
"""A decimal that answers write with all its digits, never with an exponent: amounts and percentages."""

NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency": counts that carry no money are kept under it."""

NOT_MONEY = frozenset({NO_CURRENCY, "XTS"})
"""Codes that no amount is in: none, and tests. Others are not checked against a list: new ones come every year."""

USUAL_DECIMALS = 2

DECIMALS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""How many decimals the currencies have that do not have two."""


def exponent(currency: str) -> int:
    """Return how many decimals a currency has."""
    return DECIMALS.get(currency, USUAL_DECIMALS)


def fits_minor_units(amount: Decimal, currency: str) -> bool:
    """Tell whether an amount is a whole number of minor units."""
    scaled = amount.scaleb(exponent(currency))
    return scaled == scaled.to_integral_value()


def to_minor(amount: Decimal, currency: str) -> int:
    """Return the amount in minor units: 12.34 EUR is 1234. The amount must fit."""
    return int(amount.scaleb(exponent(currency)).to_integral_value())


def from_minor(minor: int, currency: str) -> Decimal:
    """Return the amount in major units, with the currency's decimals written out."""
    return Decimal(minor).scaleb(-exponent(currency)).quantize(Decimal(1).scaleb(-exponent(currency)))
