"""A customer's profile: put together when asked, so that it is never older than its parts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.customers.access import require_account
from services.collab.customers.consents.queries import find_statements
from services.collab.customers.needs.queries import NeedRow, list_live_needs
from services.collab.customers.preferences.queries import find_preferences
from services.collab.customers.profiles.profile import (
    Completeness,
    Knowledge,
    KnownNeed,
    KnownScore,
    measure_completeness,
)
from services.collab.customers.satisfaction.queries import find_latest_scores
from services.collab.projections.alignments import find_territory
from services.collab.projections.coverages import find_covering
from shared.db.scope import Scope

_COUNT = text("""
SELECT count(*) AS needs_ever, count(*) FILTER (WHERE status = 'met') AS met,
    count(*) FILTER (WHERE status = 'dropped') AS dropped
FROM needs WHERE account_id = :account
""")


@dataclass(frozen=True, slots=True)
class Profile:
    """A customer: needs still to be met with their evidence, what else is known, and how complete that is."""

    account_id: UUID
    needs: tuple[NeedRow, ...]
    needs_met: int
    needs_dropped: int
    known: Knowledge
    completeness: Completeness


async def find_profile(read: AsyncConnection, account_id: UUID, *, at: datetime, scope: Scope) -> Profile:
    """Return the profile of an account in the caller's scope. Raises NotFound."""
    await require_account(read, account_id, scope)
    return await compile_profile(read, account_id, at=at)


async def compile_profile(read: AsyncConnection, account_id: UUID, *, at: datetime) -> Profile:
    """Return the profile, whoever asks: the caller has made sure that they may."""
    needs = await list_live_needs(read, account_id)
    counted = (await read.execute(_COUNT, {"account": account_id})).one()
    known = Knowledge(
        at=at,
        needs=tuple(_known(need) for need in needs),
        needs_ever=counted.needs_ever,
        preferences=await find_preferences(read, account_id),
        consents=tuple(await find_statements(read, account_id, at=at)),
        scores=tuple(
            KnownScore(row.score_id, row.kind, row.score, row.answered_at)
            for row in await find_latest_scores(read, account_id)
        ),
        covering=await find_covering(read, await find_territory(read, account_id), at=at),
    )
    return Profile(
        account_id=account_id,
        needs=tuple(needs),
        needs_met=counted.met,
        needs_dropped=counted.dropped,
        known=known,
        completeness=measure_completeness(known),
    )


def _known(need: NeedRow) -> KnownNeed:
    return KnownNeed(
        need_id=need.need_id,
        kind=need.kind,
        status=need.status,
        owner_rep_id=need.owner_rep_id,
        due_on=need.due_on,
        registered_at=need.registered_at,
        evidence=len(need.evidence),
    )
