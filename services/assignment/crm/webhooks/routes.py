"""Webhooks over HTTP: administrators register sources, sources deliver. A delivery's signature is its only pass."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from services.assignment.crm.shapes import System
from services.assignment.crm.webhooks import commands, queries
from services.assignment.crm.webhooks.commands import DeleteWebhookSource, PutWebhookSource, TakeDelivery
from services.assignment.crm.webhooks.record_change import read_changes
from services.assignment.crm.webhooks.refusals import InvalidSignature, SealKeyMissing
from services.assignment.crm.webhooks.schemas import (
    DELIVERY_BODY,
    DeliveryReportView,
    WebhookSourceBody,
    WebhookSourcesView,
    WebhookSourceView,
)
from services.assignment.crm.webhooks.sealing import Seal
from services.assignment.crm.webhooks.signature import Delivered, is_genuine
from shared.db.scope import EVERYWHERE
from shared.http.commands import RunCommand, Snapshot, get_parts
from shared.http.principal import Principal, Role
from shared.http.problems import describe
from shared.http.security import PUBLIC, Admin

router = APIRouter(tags=["crm"])

SOURCES_PATH = "/v1/webhook-sources"
# A thousand records of a CRM are well under it, and nobody has shown who they are yet.
MAX_DELIVERY_BYTES = 1_048_576
DELIVERY_LIMITS = {f"/v1/webhooks/{source}": MAX_DELIVERY_BYTES for source in System}


def install_seal(app: FastAPI, key: str | None) -> None:
    """Give an app the key under which secrets are sealed, if there is one."""
    app.state.webhook_seal = None if key is None else Seal(key)


def get_seal(request: Request) -> Seal:
    """Return the seal. Raises SealKeyMissing."""
    seal: Seal | None = request.app.state.webhook_seal
    if seal is None:
        raise SealKeyMissing("Set ASSIGNMENT_WEBHOOK_KEY: secrets of webhooks are sealed with it.")
    return seal


async def verify_sender(request: Request, source: System) -> Principal:
    """Return the source as a caller. Raises InvalidSignature."""
    parts = get_parts(request)
    seal: Seal | None = request.app.state.webhook_seal
    body = await request.body()
    now = parts.clock.now()
    signing = queries.NO_SECRETS
    if seal is not None:
        # A connection of its own, given back before the command takes one: strangers hold none of the pool.
        async with parts.engine.connect() as connection:
            signing = await queries.find_secrets(connection, source, seal=seal, now=now)
    headers = {name.lower(): value for name, value in request.headers.items()}
    delivered = Delivered(request.method, signing.url or str(request.url), headers, body)
    if not is_genuine(delivered, signing.secrets, now=now):
        raise InvalidSignature(
            'Not signed by a registered source within the last five minutes. Sign "<X-Bailiwick-Timestamp>.<body>"'
            " with HMAC-SHA256 and the source's secret, in hex, as X-Bailiwick-Signature; or as HubSpot's v3 does."
        )
    return Principal(f"webhook:{source.value}", frozenset({Role.SERVICE}), EVERYWHERE)


Sender = Annotated[Principal, Depends(verify_sender)]
SealOfApp = Annotated[Seal, Depends(get_seal)]


@router.post(
    "/v1/webhooks/{source}",
    response_model=DeliveryReportView,
    responses=describe(401),
    dependencies=[PUBLIC],
    openapi_extra=DELIVERY_BODY,
)
async def create_webhook_delivery(by: Sender, run: RunCommand, request: Request, source: System) -> Response:
    """Take record changes from a CRM: accounts are upserted by external id and aligned at once.

    Signed by `X-Bailiwick-Signature` (hex HMAC-SHA256 over `<X-Bailiwick-Timestamp>.<body>`) or by HubSpot's
    `X-HubSpot-Signature-v3`. A record that was taken before is a `duplicate`; an older change than the one
    known is `superseded`, field by field. Wrong records are reported, the others stored together.
    """
    changes = read_changes(source, await request.body(), now=get_parts(request).clock.now())
    return await run.run(
        commands.take_delivery, TakeDelivery(source, changes), by=by, show=DeliveryReportView.model_validate
    )


@router.get(SOURCES_PATH)
async def list_webhook_sources(_: Admin, read: Snapshot) -> WebhookSourcesView:
    """List the sources that may deliver; their secrets are not shown."""
    found = await queries.list_webhook_sources(read)
    return WebhookSourcesView(items=[WebhookSourceView.model_validate(source) for source in found])


@router.put(SOURCES_PATH + "/{source}", response_model=WebhookSourceView, responses=describe(409))
async def put_webhook_source(
    by: Admin, run: RunCommand, seal: SealOfApp, source: System, body: WebhookSourceBody
) -> Response:
    """Register a source or rotate its secret; the secret before stays good for `keep_previous_hours`."""
    command = PutWebhookSource(
        source=source,
        secret=body.secret.get_secret_value().encode(),
        url=body.url,
        keep_previous=timedelta(hours=body.keep_previous_hours),
        seal=seal,
    )
    return await run.run(commands.put_webhook_source, command, by=by, show=WebhookSourceView.model_validate)


@router.delete(SOURCES_PATH + "/{source}", status_code=204, response_class=Response)
async def delete_webhook_source(by: Admin, run: RunCommand, source: System) -> Response:
    """Take nothing more from a source and forget its secrets."""
    return await run.run(
        commands.delete_webhook_source, DeleteWebhookSource(source), by=by, show=lambda _: None, status=204
    )
