"""Follows what collab tells of customers: accounts are aligned anew when the live plan's rules look at it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar
from uuid import UUID

from services.assignment.accounts.commands import lock_accounts
from services.assignment.accounts.versions.commands import record_versions
from services.assignment.alignments.commands import Occasion, realign_some
from services.assignment.alignments.queries import load_matcher
from services.assignment.plans.commands.switch_live_plan import hold_live_plan
from services.assignment.projections.customer_traits import keep_needs, keep_preferences
from services.assignment.rules.queries import reads_field
from shared.contracts.customers import CUSTOMERS, NeedChanged, PreferencesChanged
from shared.contracts.envelope import EventContract
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.projection import Entangled
from shared.messaging.received import Received
from shared.messaging.subscription import Subscription

E = TypeVar("E", bound=EventContract)


async def follow_preferences(received: Sequence[Received[PreferencesChanged]], uow: UnitOfWork) -> None:
    """Keep preferences; accounts whose language changed are aligned by it."""
    await _follow(received, uow, keep=keep_preferences, field="language")


async def follow_needs(received: Sequence[Received[NeedChanged]], uow: UnitOfWork) -> None:
    """Keep needs; accounts whose kinds of needs changed are aligned by them."""
    await _follow(received, uow, keep=keep_needs, field="need")


async def _follow(
    received: Sequence[Received[E]],
    uow: UnitOfWork,
    *,
    keep: Callable[[Sequence[Received[E]], UnitOfWork], Awaitable[Collection[UUID]]],
    field: str,
) -> None:
    # The live plan is held first, as by imports: an activation comes before all of this or after all of it.
    live = await hold_live_plan(uow)
    changed = await keep(received, uow)
    # What is not registered yet is recorded and aligned when it is.
    if not (accounts := await lock_accounts(uow, changed)):
        return
    at = await record_versions(uow, accounts)
    if live.plan_id is not None and await reads_field(uow.connection, live.plan_id, field):
        matcher = await load_matcher(uow.connection, live.plan_id, at=at)
        await realign_some(uow, accounts, matcher, Occasion(live.plan_id, at))


CUSTOMER_TRAITS = Subscription(
    topic=CUSTOMERS,
    handlers={NeedChanged: follow_needs, PreferencesChanged: follow_preferences},
    keeps=Entangled("It aligns accounts anew by the live plan, and announces that."),
)
