"""Random histories of every topic that a projection is built from: few keys, many events, everything repeated."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from shared.contracts import assignment, metrics, training
from shared.contracts.envelope import EventContract
from shared.kafka.records import OutgoingRecord
from shared.testing.frozen_clock import A_MONDAY
from tests.service.shared.toy import headers_of

_DAY = date(2026, 1, 1)
_INDUSTRIES = ("Health", "retail", None)


class History:
    """What a topic holds, as more and more is told; versions count on per key."""

    def __init__(self, topic: str, seed: int) -> None:
        self.topic = topic
        self.draw = random.Random(f"{topic} {seed}")
        self._versions: Counter[str] = Counter()
        self._granted: list[training.CertificationGranted] = []

    def tell(self, events: int) -> list[OutgoingRecord]:
        """Return the records of some more events, now and then one of them twice, as after a relay's crash."""
        records: list[OutgoingRecord] = []
        for event in _TOLD[self.topic](self, events):
            self._versions[event.key] += 1
            record = self._record(event)
            records += [record] * (2 if self.draw.random() < 0.1 else 1)
        return records

    def _record(self, event: EventContract) -> OutgoingRecord:
        is_gone = event.ORDER == "rising" and self.draw.random() < 0.2
        value = None if is_gone else event.model_dump_json().encode()
        headers = headers_of(event, self._versions[event.key])
        return OutgoingRecord(self.topic, event.key.encode(), value, headers, 1_700_000_000_000)

    def moment(self) -> datetime:
        return A_MONDAY + timedelta(hours=self.draw.randrange(2_000))

    def some(self, kind: int, number: int) -> UUID:
        """One of a few ids of a kind."""
        return UUID(int=kind * 1_000 + self.draw.randrange(number))

    def coverages(self, number: int) -> Iterator[EventContract]:
        for _ in range(number):
            coverage = self.draw.randrange(30)
            ids = {
                "coverage_id": UUID(int=coverage),
                "territory_id": UUID(int=1_000 + coverage % 7),
                "rep_id": UUID(int=2_000 + coverage % 11),
            }
            if self.draw.random() < 0.6:
                role = self.draw.choice(("primary", "backup"))
                yield assignment.CoverageStarted(
                    **ids, role=role, share_percent=Decimal(100), valid_from=self.moment()
                )
            else:
                yield assignment.CoverageEnded(**ids, valid_to=self.moment())

    def certifications(self, number: int) -> Iterator[EventContract]:
        for _ in range(number):
            if not self._granted or self.draw.random() < 0.5:
                award = UUID(int=10_000 + len(self._granted))
                start = _DAY + timedelta(days=self.draw.randrange(300))
                granted = training.CertificationGranted(
                    award_id=award,
                    rep_id=self.some(2, 5),
                    certification_code=self.draw.choice(("crane", "fork")),
                    valid_from=start,
                    valid_to=start + timedelta(days=365),
                    renewal=False,
                    granted_at=self.moment(),
                )
                self._granted.append(granted)
                yield granted
                continue
            of = self.draw.choice(self._granted)
            ids = {"award_id": of.award_id, "rep_id": of.rep_id, "certification_code": of.certification_code}
            if self.draw.random() < 0.5:
                day = of.valid_from + timedelta(days=self.draw.randrange(400))
                yield training.CertificationRevoked(**ids, revoked_from=day, revoked_at=self.moment())
            else:
                yield training.CertificationExpired(**ids, valid_to=of.valid_to, announced_at=self.moment())

    def accounts(self, number: int) -> Iterator[EventContract]:
        for _ in range(number):
            kind = self.draw.choice((assignment.AccountRegistered, assignment.AccountChanged))
            account = self.some(3, 20)
            yield kind(
                account_id=account,
                external_id=f"acct-{account.int}",
                postal_code=None,
                county=None,
                state=None,
                industry=self.draw.choice(_INDUSTRIES),
                employees=None,
            )

    def reps(self, number: int) -> Iterator[EventContract]:
        for _ in range(number):
            kind = self.draw.choice((assignment.RepRegistered, assignment.RepChanged))
            yield kind(rep_id=self.some(2, 30), languages=("de",), industries=(), need_kinds=())

    def trees(self, number: int) -> Iterator[EventContract]:
        for _ in range(number):
            # The id of a tree says what its shape is; kinds are the plan's own.
            shape = self.draw.randrange(6)
            nodes = [
                assignment.TerritoryNode(
                    territory_id=UUID(int=at),
                    parent_id=UUID(int=max(1, at - shape - 1)) if at > 1 else None,
                    kind=self.draw.choice(("geographic", "overlay")),
                )
                for at in range(1, 5 + 2 * shape)
            ]
            yield assignment.TreePublished(
                plan_id=self.some(4, 1_000), tree_id=UUID(int=5_000 + shape), territories=tuple(nodes)
            )

    def activations(self, number: int) -> Iterator[EventContract]:
        for _ in range(number):
            yield assignment.PlanActivated(
                plan_id=self.some(4, 8),
                activation_id=UUID(int=self.draw.getrandbits(64)),
                sequence=self.draw.randrange(10_000),
                tree_id=UUID(int=5_000 + self.draw.randrange(6)),
                kind="activation",
                effective_at=self.moment(),
                previous_plan_id=None,
                moved_accounts=0,
            )

    def states(self, number: int) -> Iterator[EventContract]:
        for _ in range(number):
            figures = [
                metrics.AccountFigures(
                    currency=currency,
                    trailing_revenue=Decimal(self.draw.randrange(10_000)),
                    open_pipeline=Decimal(self.draw.randrange(10_000)) / 100,
                )
                for currency in ("EUR", "USD")[: self.draw.randrange(3)]
            ]
            yield metrics.AccountState(
                account_id=self.some(3, 20), as_of=self.moment(), figures=tuple(figures)
            )


_TOLD: dict[str, Callable[[History, int], Iterator[EventContract]]] = {
    assignment.COVERAGES: History.coverages,
    training.TRAINING: History.certifications,
    assignment.ACCOUNTS: History.accounts,
    assignment.REPS: History.reps,
    assignment.TERRITORIES: History.trees,
    assignment.PLANS: History.activations,
    metrics.ACCOUNT_STATE: History.states,
}
