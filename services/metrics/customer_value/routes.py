"""HTTP: what customers are worth, and the fits that say so."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.metrics.attribution.queries import Include
from services.metrics.customer_value import queries
from services.metrics.customer_value.commands.ask_for_fit import AskForFit, ask_for_fit
from services.metrics.customer_value.schemas import (
    AskForFitBody,
    Currency,
    CustomerValueView,
    FitView,
    ValueSumsView,
)
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.principal import READERS, Principal
from shared.http.problems import describe
from shared.http.security import Admin, Allow, Reader

router = APIRouter(prefix="/v1", tags=["customer values"])

# A fit tells of all customers of the organisation at once.
WholeReader = Annotated[Principal, Depends(Allow(READERS, whole_organisation=True))]


@router.get("/customer-values", responses=describe(404))
async def list_customer_values(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    territory_id: Annotated[
        UUID | None, Query(description="Accounts that are this territory's today, or below it.")
    ] = None,
) -> Page[CustomerValueView]:
    """List the accounts in the caller's scope with what they are worth, on which level and why.

    Values are those of the newest fit of their currency; orders after its cut-off are in the next.
    """
    found = await queries.list_customers(read, territory_id=territory_id, page=page, scope=by.scope)
    items, cursor = page_of(found, page, key=lambda customer: customer.account_id)
    return Page(items=[CustomerValueView.of(customer) for customer in items], next_cursor=cursor)


@router.get("/customer-values/{account_id}", responses=describe(404))
async def get_customer_value(by: Reader, read: Snapshot, account_id: UUID) -> CustomerValueView:
    """Return what one account is worth in each currency, on which level and why."""
    return CustomerValueView.of(await queries.find_customer(read, account_id, scope=by.scope))


@router.get("/customer-value-sums", responses=describe(404))
async def list_customer_value_sums(
    by: Reader,
    read: Snapshot,
    territory_id: Annotated[UUID | None, Query(description="Without it: all in scope.")] = None,
    include: Annotated[
        Include, Query(description="With a territory: it alone, with its children, or with all below it.")
    ] = "self",
) -> ValueSumsView:
    """Return what the customers of territories are worth, as they are held today: whole subtrees, level by level."""
    return ValueSumsView.of(
        await queries.list_value_sums(read, territory_id=territory_id, include=include, scope=by.scope)
    )


@router.post("/customer-value-fits", status_code=202, response_model=FitView, responses=describe(409))
async def create_customer_value_fit(by: Admin, run: RunCommand, body: AskForFitBody) -> Response:
    """Ask for a fit of one currency's customers; the worker makes it, and `Location` says what came of it."""
    command = AskForFit(
        currency=body.currency,
        cut_off_on=body.cut_off_on,
        margin=body.margin,
        annual_discount_rate=body.annual_discount_rate,
        horizon_months=body.horizon_months,
    )
    return await run.run(
        ask_for_fit,
        command,
        by=by,
        show=FitView.of,
        status=202,
        location=lambda fit: f"/v1/customer-value-fits/{fit.fit_id}",
    )


@router.get("/customer-value-fits")
async def list_customer_value_fits(
    by: WholeReader,  # noqa: ARG001 - who may ask at all
    read: Snapshot,
    page: PageParameters,
    currency: Annotated[Currency | None, Query(description="Only fits of this currency.")] = None,
) -> Page[FitView]:
    """List fits, newest first."""
    found = await queries.list_fits(read, currency=currency, page=page)
    items, cursor = page_of(found, page, key=lambda fit: fit.fit_id)
    return Page(items=[FitView.of(fit) for fit in items], next_cursor=cursor)


@router.get("/customer-value-fits/{fit_id}", responses=describe(404))
async def get_customer_value_fit(
    by: WholeReader,  # noqa: ARG001 - who may ask at all
    read: Snapshot,
    fit_id: UUID,
) -> FitView:
    """Return one fit with its parameters, or that it waits."""
    return FitView.of(await queries.find_fit(read, fit_id))
