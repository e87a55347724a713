"""Registering sources of webhooks, and taking in what they deliver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from services.assignment.accounts.queries import hold_details
from services.assignment.crm.commands import keep_field_changes, keep_halves
from services.assignment.crm.field_change import FieldsChanged
from services.assignment.crm.queries import find_field_changes, find_halves
from services.assignment.crm.shapes import System
from services.assignment.crm.webhooks.merge import Merge, RecordOutcome
from services.assignment.crm.webhooks.queries import WebhookSource, find_seen
from services.assignment.crm.webhooks.record_change import Change, RecordChange
from services.assignment.crm.webhooks.refusals import InvalidSignature
from services.assignment.crm.webhooks.sealing import Seal, Unsealable
from services.assignment.imports.commands import ImportAccounts, import_accounts
from services.assignment.imports.import_file import ImportFile
from services.assignment.plans.commands.switch_live_plan import hold_live_plan
from shared.contracts.identity import account_id_of
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

# HubSpot tries again for a day, others for three.
REMEMBERED = timedelta(days=7)

_LOCK = text("SELECT sealed_secret FROM webhook_sources WHERE source = :source FOR UPDATE")
_PUT = text("""
INSERT INTO webhook_sources AS w (source, url, sealed_secret, secret_since, recorded_by)
VALUES (:source, :url, :sealed, :now, :actor)
ON CONFLICT (source) DO UPDATE
SET url = excluded.url, recorded_by = excluded.recorded_by,
    sealed_secret = CASE WHEN :changed THEN excluded.sealed_secret ELSE w.sealed_secret END,
    secret_since = CASE WHEN :changed THEN excluded.secret_since ELSE w.secret_since END,
    sealed_previous_secret = CASE WHEN CAST(:until AS timestamptz) IS NULL THEN NULL
                                  WHEN :changed THEN w.sealed_secret ELSE w.sealed_previous_secret END,
    -- The secret as it was: the one before may end earlier than was said, never later.
    previous_until = CASE WHEN :changed THEN CAST(:until AS timestamptz)
                          WHEN w.previous_until IS NULL OR CAST(:until AS timestamptz) IS NULL THEN NULL
                          ELSE least(w.previous_until, CAST(:until AS timestamptz)) END
RETURNING source, url, secret_since, previous_until
""")
_DELETE = text("DELETE FROM webhook_sources WHERE source = :source RETURNING source")
_REMEMBER = text("""
INSERT INTO webhook_events (source, event_key, received_at)
SELECT :source, unnest(CAST(:event_keys AS text[])), :now
""")
_FORGET = text("""
DELETE FROM webhook_events WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM webhook_events WHERE received_at < :before ORDER BY received_at LIMIT 2000
))
""")


@dataclass(frozen=True, slots=True)
class PutWebhookSource:
    """Let a source sign with this secret; the one before stays good for a while."""

    source: System
    secret: bytes
    url: str | None
    keep_previous: timedelta
    seal: Seal


@dataclass(frozen=True, slots=True)
class DeleteWebhookSource:
    """Take nothing more from a source."""

    source: System


@dataclass(frozen=True, slots=True)
class TakeDelivery:
    """Take in what a source delivered; its signature was verified."""

    source: System
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a delivery, record by record; the counts are of accounts."""

    registered: int
    changed: int
    aligned: int
    records: tuple[RecordOutcome, ...]


async def put_webhook_source(command: PutWebhookSource, uow: UnitOfWork) -> WebhookSource:
    """Register a source or rotate its secret; the same secret again can only have the one before end earlier."""
    found = (await uow.connection.execute(_LOCK, {"source": command.source})).one_or_none()
    known = None if found is None else _opened(command.seal, found.sealed_secret, command.source)
    row = await uow.connection.execute(
        _PUT,
        {
            "source": command.source,
            "url": command.url,
            "sealed": command.seal.close(command.secret, about=command.source),
            "changed": command.secret != known,
            "until": uow.now + command.keep_previous if known is not None and command.keep_previous else None,
            "now": uow.now,
            "actor": uow.actor,
        },
    )
    return WebhookSource(**row.mappings().one())


async def delete_webhook_source(command: DeleteWebhookSource, uow: UnitOfWork) -> None:
    """Forget a source and its secrets. Raises NotFound."""
    if (await uow.connection.execute(_DELETE, {"source": command.source})).first() is None:
        raise NotFound("source: it is not registered.")


async def take_delivery(command: TakeDelivery, uow: UnitOfWork) -> DeliveryReport:
    """Change the accounts that the records tell of, align them by the live plan and announce it, all at once.

    Deliveries of one source take turns, so that two changes of one account never overtake each other between
    reading what is known and writing it; an account that anybody else registers meanwhile has this run again.
    Raises InvalidSignature when the source was deleted meanwhile.
    """
    if (await uow.connection.execute(_LOCK, {"source": command.source})).first() is None:
        raise InvalidSignature("The source is not registered any more: register it, then deliver again.")
    # Before any account, as whoever aligns accounts holds it.
    await hold_live_plan(uow)
    told = [change for change in command.changes if isinstance(change, RecordChange)]
    ids = sorted({account_id_of(change.told.external_id) for change in told})
    details = await hold_details(uow.connection, ids)
    merge = Merge(
        command.source,
        seen=await find_seen(uow.connection, command.source, [change.event_key for change in told]),
        stamps=await find_field_changes(uow.connection, command.source, ids),
        details=details,
        halves=await find_halves(uow.connection, ids),
    )
    unknown = frozenset(ids).difference(details)
    records = merge.take_all(command.changes)
    file = ImportFile(len(merge.touched), 0, tuple(merge.touched.values()), ())
    stored = await import_accounts(ImportAccounts(file, unknown), uow)
    await _remember(uow, command.source, merge)
    return DeliveryReport(stored.registered, stored.changed, stored.aligned, records)


def _opened(seal: Seal, sealed: bytes, source: str) -> bytes | None:
    try:
        return seal.open(sealed, about=source)
    except Unsealable:
        return None  # sealed under a key that is gone: replaced, and not kept


async def _remember(uow: UnitOfWork, source: System, merge: Merge) -> None:
    await uow.connection.execute(
        _REMEMBER, {"source": source, "event_keys": merge.fresh_keys, "now": uow.now}
    )
    await keep_field_changes(
        uow,
        source,
        [FieldsChanged(account_id, (name,), at) for (account_id, name), at in merge.fresh_stamps.items()],
    )
    await keep_halves(uow, merge.fresh_halves)
    await uow.connection.execute(_FORGET, {"before": uow.now - REMEMBERED})
