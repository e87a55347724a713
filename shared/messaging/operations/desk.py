"""Where an operator stands: whose service it is, who asks, and a transaction that never lacks its audit entry."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.envelope import event_source
from shared.db.audit import AuditEntry, record
from shared.db.outbox import Outbox
from shared.db.scope import EVERYWHERE
from shared.db.states import StateTopic
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.batches import Batches
from shared.messaging.operations.answers import Answers
from shared.messaging.operations.refusals import Refused
from shared.messaging.subscription import Subscription
from shared.runtime.clock import Clock
from shared.runtime.settings import ServiceSettings

PROGRAM = "bailiwick events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all commands for operators are given. `operator` is the name they act under; `engine` is the app's."""

    service: str
    settings: ServiceSettings
    consumers: Mapping[str, Sequence[Subscription]]
    engine: AsyncEngine
    clock: Clock
    operator: str
    dry_run: bool
    answers: Answers
    states: Sequence[StateTopic] = ()

    @asynccontextmanager
    async def change(
        self, words: str, what: Mapping[str, object], *, engine: AsyncEngine | None = None
    ) -> AsyncIterator[UnitOfWork]:
        """Change something in one transaction, together with its audit entry; take all of it back on a dry run.

        `words` are those of the command line after `bailiwick events`, `what` is what they were said about.
        """
        async with (engine or self.engine).connect() as connection:
            transaction = await connection.begin()
            uow = UnitOfWork(
                connection=connection,
                now=self.clock.now(),
                actor=f"operator:{self.operator}",
                outbox=Outbox(source=self.source),
            )
            yield uow
            await uow.outbox.flush(connection)
            await record(_entry(words, what), uow)
            await (transaction.rollback() if self.dry_run else transaction.commit())

    def batches(self, consumer: str, topic: str) -> Batches:
        """Return what applies a consumer's records of a topic. Raises Refused when nothing here does."""
        return Batches(
            consumer,
            self.subscription(consumer, topic),
            engine=self.engine,
            clock=self.clock,
            source=self.source,
        )

    def subscription(self, consumer: str, topic: str | None) -> Subscription:
        """Return a consumer's subscription to a topic, or its only one. Raises Refused."""
        if consumer not in self.consumers:
            raise Refused(
                f"consumer: no consumer of this release is called {consumer}; there are "
                f"{', '.join(sorted(self.consumers))}."
            )
        found = [s for s in self.consumers[consumer] if topic in {None, s.topic}]
        if len(found) == 1:
            return found[0]
        topics = ", ".join(subscription.topic for subscription in self.consumers[consumer])
        raise Refused(
            f"topic: say which one {consumer} is meant for: {topics}."
            if topic is None
            else f"topic: {consumer} does not read {topic}; it reads {topics}."
        )

    @property
    def rehearsed(self) -> str:
        """Return what every sentence begins with that tells of a dry run."""
        return "Dry run, nothing was changed: " if self.dry_run else ""

    @property
    def source(self) -> str:
        """Return the CloudEvents source of what is announced."""
        return event_source(self.settings.organisation, self.service)


def _entry(words: str, what: Mapping[str, object]) -> AuditEntry:
    # In the shape of a request's entry: the command line is the route, what it was said about its parameters.
    return AuditEntry(
        roles=["operator"],
        scope=EVERYWHERE,
        method="COMMAND",
        route=f"{PROGRAM} {words}",
        path_parameters={name: str(value) for name, value in what.items()},
        operation=f"events-{words.replace(' ', '-')}",
        status=0,
        location=None,
        idempotency_key=None,
        body_sha256=None,
    )
