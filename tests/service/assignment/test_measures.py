"""The projection of metrics' account state: whole states replace, tombstones forget."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from services.assignment.projections.account_measures import ACCOUNT_MEASURES
from shared.contracts.envelope import Envelope
from shared.contracts.metrics import ACCOUNT_STATE, AccountFigures, AccountState
from shared.db.transact import Transactor
from shared.messaging.received import Received, Tombstone
from tests.service.assignment.conftest import Assignment

ONE, TWO = UUID(int=1), UUID(int=2)


def _state(account: UUID, **figures: str) -> Received[AccountState]:
    event = AccountState(
        account_id=account,
        as_of=datetime(2026, 11, 1, tzinfo=UTC),
        figures=tuple(
            AccountFigures(currency=currency, trailing_revenue=Decimal(amount), open_pipeline=Decimal(1))
            for currency, amount in figures.items()
        ),
    )
    envelope = Envelope(id="1", source="/demo/metrics", type=AccountState.TYPE, aggregateversion=1)
    return Received(event, envelope, ACCOUNT_STATE, 0, 0, event.key)


async def test_a_state_replaces_what_was_known_and_a_tombstone_forgets_it(assignment: Assignment) -> None:
    transact = Transactor(engine=assignment.engine, clock=assignment.clock, source="/demo/assignment")
    handler = ACCOUNT_MEASURES.handlers[AccountState]
    await transact(handler, [_state(ONE, EUR="10.50", USD="3"), _state(TWO, EUR="0.001")])
    await transact(handler, [_state(ONE, EUR="11"), _state(TWO)])
    kept = await assignment.rows("SELECT account_id, currency, trailing_revenue FROM account_measures")
    assert kept == [(ONE, "EUR", Decimal(11))]
    assert ACCOUNT_MEASURES.on_tombstones is not None
    envelope = Envelope(id="1", source="/demo/metrics", type="", aggregateversion=3)
    await transact(ACCOUNT_MEASURES.on_tombstones, [Tombstone(envelope, ACCOUNT_STATE, 0, 1, str(ONE))])
    assert await assignment.rows("SELECT * FROM account_measures") == []
