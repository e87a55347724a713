"""Metrics' consumers with the witness of tests/faults beside every handler."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.metrics.consumers import CONSUMERS
from shared.contracts import assignment
from shared.contracts.envelope import EventContract
from shared.messaging.subscription import Subscription
from tests.faults.tampering import witness


def witnessed(name: str) -> list[Subscription]:
    """Return a consumer's subscriptions with the witness beside every handler, in the same transactions."""
    return [
        replace(
            subscription,
            handlers={
                **_witness_alone(subscription),
                **{contract: _beside(handler) for contract, handler in subscription.handlers.items()},
            },
        )
        for subscription in CONSUMERS[name]
    ]


def _witness_alone(subscription: Subscription) -> dict[type[EventContract], Any]:
    if subscription.topic != assignment.ACCOUNTS:
        return {}
    return {assignment.AccountRegistered: witness.witness, assignment.AccountChanged: witness.witness}


def _beside(handler: Any) -> Any:
    async def both(batch: Sequence[Any], uow: Any) -> None:
        await witness.witness(batch, uow)
        await handler(batch, uow)

    return both
