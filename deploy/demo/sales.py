"""A year of the demo's sales facts: leads, opportunities that are won or lost, orders, spend."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from deploy.demo.dice import dice
from deploy.demo.people import Account

# Fifty-two weeks: all of it lies inside the trailing year that diffs and briefs speak of.
DAYS = 364
FactBody = dict[str, Any]

_SOURCE = "demo-crm"
# How busy a month is: a spring rise, a quiet summer, a rush before the year closes.
_SEASON = (0.65, 0.7, 0.95, 0.85, 0.8, 0.9, 0.6, 0.55, 0.85, 0.9, 0.95, 1.0)
_CHANNELS = ("advertising", "events", "partners")


class Year:
    """The year before `today`; every account's facts follow from the seed, the account and the day alone."""

    def __init__(self, today: date, seed: int) -> None:
        self.end = datetime.combine(today, time(), UTC)
        self.start = self.end - timedelta(days=DAYS)
        self._seed = seed

    def facts_of(self, account: Account) -> list[FactBody]:
        """Return what happened with one account, every revision of it."""
        rng = dice(self._seed, "facts", account.external_id)
        yearly = 600 * account.employees**0.85 * rng.lognormvariate(0, 0.7)
        return [
            *self._leads(rng, account),
            *self._opportunities(rng, account, yearly),
            *self._orders(rng, account, yearly),
            *self._visits(rng, account, yearly),
        ]

    def campaigns(self) -> list[FactBody]:
        """Return the spend that belongs to no account: it counts for the organisation all the same."""
        rng = dice(self._seed, "campaigns")
        return [
            self._fact("spend", f"CMP-{month:02}-{channel}", at, amount=_cents(rng.lognormvariate(9, 0.4)))
            for month in range(12)
            for channel in _CHANNELS
            for at in [self.start + timedelta(days=30 * month, hours=rng.randrange(24))]
        ]

    def _leads(self, rng: Random, account: Account) -> Iterator[FactBody]:
        for number in range(_count(rng, 1.6)):
            yield self._fact("lead", f"L-{account.external_id}-{number}", self._moment(rng), account)

    def _opportunities(self, rng: Random, account: Account, yearly: float) -> Iterator[FactBody]:
        for number in range(_count(rng, 1.3)):
            name, at = f"O-{account.external_id}-{number}", self._moment(rng)
            amount = _cents(yearly * rng.lognormvariate(-1.2, 0.6))
            yield self._fact("opportunity", name, at, account, amount=amount, stage="open")
            decided = at + timedelta(days=rng.randint(7, 120), minutes=rng.randrange(1440))
            if decided < self.end:
                stage = "won" if rng.random() < 0.42 else "lost"
                closing = self._fact("opportunity", name, at, account, amount=amount, stage=stage)
                yield {**closing, "revision": 2, "occurred_at": _text(decided)}

    def _orders(self, rng: Random, account: Account, yearly: float) -> Iterator[FactBody]:
        orders = _count(rng, 4.6)
        for number in range(orders):
            amount = _cents(yearly / orders * rng.lognormvariate(0, 0.5))
            order = self._fact(
                "order", f"P-{account.external_id}-{number}", self._moment(rng), account, amount
            )
            yield order
            fate = rng.random()
            if fate < 0.01:
                yield {**order, "revision": 2, "voided": True}
            elif fate < 0.03:
                yield {**order, "revision": 2, "amount": _cents(float(amount) * rng.uniform(0.7, 1.1))}

    def _visits(self, rng: Random, account: Account, yearly: float) -> Iterator[FactBody]:
        for number in range(_count(rng, 0.7)):
            amount = _cents(60 + yearly * 0.01 * rng.random())
            yield self._fact("spend", f"S-{account.external_id}-{number}", self._moment(rng), account, amount)

    def _moment(self, rng: Random) -> datetime:
        while True:
            at = self.start + timedelta(seconds=rng.randrange(DAYS * 86_400))
            if rng.random() < _SEASON[at.month - 1]:
                return at

    def _fact(
        self,
        kind: str,
        name: str,
        at: datetime,
        account: Account | None = None,
        amount: str | None = None,
        stage: str | None = None,
    ) -> FactBody:
        fact: FactBody = {"source": _SOURCE, "kind": kind, "external_id": name, "revision": 1}
        fact |= {"created_at": _text(at), "occurred_at": _text(at)}
        if account is not None:
            fact["account_external_id"] = account.external_id
        if amount is not None:
            fact |= {"amount": amount, "currency": "USD"}
        if stage is not None:
            fact["stage"] = stage
        return fact


def _count(rng: Random, mean: float) -> int:
    """Draw how often something happened: geometric, so that most accounts do little and some do much."""
    count, more = 0, mean / (1 + mean)
    while rng.random() < more and count < 40:
        count += 1
    return count


def _cents(amount: float) -> str:
    return f"{max(1.0, amount):.2f}"


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
