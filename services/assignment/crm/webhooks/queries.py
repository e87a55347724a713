"""Reading the sources of webhooks, and the secrets that they may sign with now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.crm.webhooks.sealing import Seal, Unsealable
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_LIST = text("""
SELECT source, url, secret_since, previous_until FROM webhook_sources ORDER BY source
""")
_SECRETS = text("""
SELECT url, sealed_secret, CASE WHEN previous_until > :now THEN sealed_previous_secret END AS sealed_previous_secret
FROM webhook_sources WHERE source = :source
""")

_KNOWN = text("""
SELECT event_key FROM webhook_events
WHERE source = :source AND event_key = ANY (CAST(:event_keys AS text[]))
""")


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A source as it is shown: never with its secrets."""

    source: str
    url: str | None
    secret_since: datetime
    previous_until: datetime | None


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """What a source may sign with, and the URL it was told to call."""

    url: str | None
    secrets: tuple[bytes, ...]


NO_SECRETS = SigningSecrets(None, ())


async def list_webhook_sources(read: AsyncConnection) -> list[WebhookSource]:
    """Return all sources."""
    return [WebhookSource(**row) for row in (await read.execute(_LIST)).mappings()]


async def find_secrets(read: AsyncConnection, source: str, *, seal: Seal, now: datetime) -> SigningSecrets:
    """Return the secrets of a source, none if it is not registered."""
    row = (await read.execute(_SECRETS, {"source": source, "now": now})).one_or_none()
    if row is None:
        return NO_SECRETS
    sealed = [one for one in (row.sealed_secret, row.sealed_previous_secret) if one is not None]
    try:
        return SigningSecrets(row.url, tuple(seal.open(one, about=source) for one in sealed))
    except Unsealable:
        log.warning("webhook secret sealed under another key; put it again", source=source)
        return NO_SECRETS


async def find_seen(read: AsyncConnection, source: str, keys: list[str]) -> set[str]:
    """Return which of the changes were taken before."""
    found = await read.execute(_KNOWN, {"source": source, "event_keys": keys})
    return {row.event_key for row in found}
