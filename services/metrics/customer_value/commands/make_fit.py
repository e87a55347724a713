"""Make a queued fit, in two transactions with the arithmetic between them, so that none is held open for long.

The first takes the fit for a while and reads the orders; the second keeps what came of it. A worker that dies
between them leaves a fit that another takes later, and the same orders give the same result.
"""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.metrics.customer_value.history import CustomerHistory, Terms
from services.metrics.customer_value.valuation import CustomerValue, Valuation
from shared.db.unit_of_work import UnitOfWork

# Longer than any fit takes.
LEASE = timedelta(minutes=10)

_TAKE = text("""
UPDATE customer_value_fits SET taken_at = :now WHERE fit_id = (
    SELECT fit_id FROM customer_value_fits
    WHERE state = 'queued' AND (taken_at IS NULL OR taken_at <= :stale)
    ORDER BY fit_id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING fit_id, currency, cut_off_on, margin, annual_discount_rate, horizon_months
""")
# A day is a purchase when it has an order that is not below nothing, be it one of value zero.
_HISTORIES = text("""
WITH days AS (
    SELECT account_id, day, isum(CASE kind WHEN 'order' THEN amount_minor ELSE -amount_minor END) AS minor,
           bool_or(kind = 'order' AND amount_minor >= 0) AS bought
    FROM facts
    WHERE kind IN ('order', 'refund') AND NOT voided AND currency = :currency AND day <= :cut_off_on AND account_id IS NOT NULL
    GROUP BY account_id, day
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY account_id, bought ORDER BY day) AS number FROM days
)
SELECT account_id, count(*) FILTER (WHERE bought), min(day) FILTER (WHERE bought),
       max(day) FILTER (WHERE bought), coalesce(isum(minor) FILTER (WHERE bought AND number > 1), 0), isum(minor)
FROM numbered GROUP BY account_id ORDER BY account_id
""")
_HOLD = text(
    "SELECT currency FROM customer_value_fits WHERE fit_id = :fit_id AND state = 'queued' FOR UPDATE"
)
_KEEP = text("""
UPDATE customer_value_fits SET
    state = 'made', made_at = :now, level = :level, reason = :reason, customers = :customers,
    repeat_customers = :repeat_customers, findings = CAST(:findings AS jsonb), models = CAST(:models AS jsonb),
    input_digest = :input_digest, version = 1 + coalesce(
        (SELECT max(f.version) FROM customer_value_fits f WHERE f.currency = customer_value_fits.currency), 0
    )
WHERE fit_id = :fit_id
""")
_FORGET = text("DELETE FROM customer_values WHERE currency = :currency")
_COLUMNS = {
    "account_id": "uuid",
    "level": "text",
    "reason": "text",
    "value_minor": "bigint",
    "historic_minor": "bigint",
    "purchases": "int",
    "first_on": "date",
    "last_on": "date",
    "p_alive": "double precision",
    "expected_purchases": "double precision",
    "expected_spend_minor": "bigint",
}
_REMEMBER = text(f"""
INSERT INTO customer_values (currency, fit_id, {", ".join(_COLUMNS)})
SELECT :currency, :fit_id, v.*
FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _COLUMNS.items())}) AS v
""")


@dataclass(frozen=True, slots=True)
class FitTaken:
    """A fit to make, on what terms, and the orders it is made of."""

    fit_id: UUID
    terms: Terms
    histories: list[CustomerHistory]


@dataclass(frozen=True, slots=True)
class KeepFit:
    """What came of a fit."""

    fit_id: UUID
    valuation: Valuation


async def take_fit(lease: timedelta, uow: UnitOfWork) -> FitTaken | None:
    """Take the oldest fit that waits, and read the orders and refunds; None when none waits."""
    taken = (await uow.connection.execute(_TAKE, {"now": uow.now, "stale": uow.now - lease})).one_or_none()
    if taken is None:
        return None
    fit_id, currency, cut_off_on, margin, rate, months = taken
    found = await uow.connection.execute(_HISTORIES, {"currency": currency, "cut_off_on": cut_off_on})
    terms = Terms(currency, cut_off_on, float(margin), float(rate), months)
    return FitTaken(fit_id, terms, [CustomerHistory(*row) for row in found])


async def keep_fit(command: KeepFit, uow: UnitOfWork) -> bool:
    """Keep the fit under its currency's next version, and the values in place of those before; False if another did."""
    currency = (await uow.connection.execute(_HOLD, {"fit_id": command.fit_id})).scalar()
    if currency is None:
        return False
    fit = command.valuation.fit
    await uow.connection.execute(
        _KEEP,
        {
            "fit_id": command.fit_id,
            "now": uow.now,
            "level": fit.level,
            "reason": fit.reason,
            "customers": fit.customers,
            "repeat_customers": fit.repeat_customers,
            "findings": json.dumps(fit.findings),
            "models": None if fit.models is None else json.dumps(asdict(fit.models)),
            "input_digest": command.valuation.input_digest,
        },
    )
    await uow.connection.execute(_FORGET, {"currency": currency})
    values = [_row(value) for value in command.valuation.values]
    columns = {name: [value[name] for value in values] for name in _COLUMNS}
    await uow.connection.execute(_REMEMBER, {**columns, "currency": currency, "fit_id": command.fit_id})
    return True


def _row(value: CustomerValue) -> dict[str, Any]:
    forecast, history = value.forecast, value.history
    return {
        "account_id": value.account_id,
        "level": value.level,
        "reason": value.reason,
        "value_minor": value.value_minor,
        "historic_minor": history.total_minor,
        "purchases": history.purchases,
        "first_on": history.first_on,
        "last_on": history.last_on,
        "p_alive": None if forecast is None else forecast.p_alive,
        "expected_purchases": None if forecast is None else forecast.expected_purchases,
        "expected_spend_minor": None if forecast is None else forecast.expected_spend_minor,
    }
