"""Ask for a fit: a row that the worker takes, because a fit takes longer than a request should."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from services.metrics.customer_value.queries import FitFound, find_fit
from services.metrics.customer_value.refusals import CutOffInTheFuture, FitAlreadyQueued
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id_at

_QUEUE = text("""
INSERT INTO customer_value_fits
    (fit_id, currency, state, cut_off_on, margin, annual_discount_rate, horizon_months, asked_by, asked_at)
VALUES (
    :fit_id, :currency, 'queued', :cut_off_on, :margin, :annual_discount_rate, :horizon_months, :asked_by, :now
)
ON CONFLICT (currency) WHERE state = 'queued' DO NOTHING
RETURNING fit_id
""")
_QUEUED = text("SELECT fit_id FROM customer_value_fits WHERE currency = :currency AND state = 'queued'")


@dataclass(frozen=True, slots=True)
class AskForFit:
    """Fit the customers of one currency by their orders up to a day (None: today), included."""

    currency: str
    cut_off_on: date | None
    margin: Decimal
    annual_discount_rate: Decimal
    horizon_months: int


async def ask_for_fit(command: AskForFit, uow: UnitOfWork) -> FitFound:
    """Queue the fit. Raises CutOffInTheFuture or FitAlreadyQueued."""
    today = uow.now.date()
    cut_off_on = command.cut_off_on or today
    if cut_off_on > today:
        raise CutOffInTheFuture(f"cut_off_on: take {today} or a day before.")
    fit_id = new_id_at(uow.now)
    queued = await uow.connection.execute(
        _QUEUE,
        {
            "fit_id": fit_id,
            "currency": command.currency,
            "cut_off_on": cut_off_on,
            "margin": command.margin,
            "annual_discount_rate": command.annual_discount_rate,
            "horizon_months": command.horizon_months,
            "asked_by": uow.actor,
            "now": uow.now,
        },
    )
    if queued.scalar() is None:
        await _refuse(command.currency, uow)
    return await find_fit(uow.connection, fit_id)


async def _refuse(currency: str, uow: UnitOfWork) -> None:
    waiting: UUID | None = (await uow.connection.execute(_QUEUED, {"currency": currency})).scalar()
    raise FitAlreadyQueued(
        f"currency: a fit for {currency} waits to be made; ask again once it is.",
        fit_id=None if waiting is None else str(waiting),
    )
