"""From sums of figures to the values of metrics, each with its numerator and denominator. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.metrics.definitions.definition import Definition, Terms
from shared.contracts.money import NO_CURRENCY, exponent, from_minor

NO_AMOUNTS = "no-amounts"
_RATIO = Decimal("0.000001")

Sums = Mapping[str, Mapping[str, int]]
"""Figures by currency; money in minor units."""


@dataclass(frozen=True, slots=True)
class Value:
    """A metric's value: null with a `reason` where there is nothing to divide by, or nothing at all."""

    metric_id: str
    version: int
    currency: str | None
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    reason: str | None = None
    immature: int | None = None


def measure(definition: Definition, sums: Sums, currencies: Iterable[str]) -> list[Value]:
    """Return a metric's value, or one for each of the currencies: money is never mixed."""
    if not definition.by_currency:
        return [_value(definition, _over_all(sums), None)]
    shown = [currency for currency in sorted(currencies) if currency != NO_CURRENCY]
    if not shown:
        return [Value(definition.metric_id, definition.version, None, None, None, None, NO_AMOUNTS)]
    return [_value(definition, sums.get(currency, {}), currency) for currency in shown]


def currencies_of(definition: Definition, rows: Iterable[Sums]) -> set[str]:
    """Return the currencies in which a metric has anything to say in any row."""
    return {
        currency
        for sums in rows
        for currency, held in sums.items()
        if any(held.get(name) for name in definition.figures)
    }


def _over_all(sums: Sums) -> dict[str, int]:
    added: Counter[str] = Counter()
    for figures in sums.values():
        added.update(figures)
    return dict(added)


def _value(definition: Definition, figures: Mapping[str, int], currency: str | None) -> Value:
    numerator = _amount(definition.numerator, figures, currency)
    told = (definition.metric_id, definition.version, currency)
    if not definition.denominator:
        return Value(*told, numerator, None, None)
    denominator = _amount(definition.denominator, figures, currency)
    immature = figures.get("immature_leads") if "window_days" in definition.parameters else None
    if not denominator:
        return Value(*told, None, numerator, denominator, definition.when_empty, immature)
    smallest = Decimal(1).scaleb(-exponent(currency)) if currency and definition.unit != "ratio" else _RATIO
    value = (numerator / denominator).quantize(smallest, ROUND_HALF_UP)
    return Value(*told, value, numerator, denominator, None, immature)


def _amount(terms: Terms, figures: Mapping[str, int], currency: str | None) -> Decimal:
    total = sum(sign * figures.get(name, 0) for name, sign in terms.items())
    if currency and any(name.endswith("_minor") for name in terms):
        return from_minor(total, currency)
    return Decimal(total)
