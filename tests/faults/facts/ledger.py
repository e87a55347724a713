"""What was acknowledged: the other side of the comparison, kept apart from everything the product does."""

import threading
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

_COUNTED = {"accepted", "duplicate", "superseded"}


class Ledger:
    """Every fact that an answer of the api acknowledged; of an entity the highest revision counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._facts: dict[str, dict] = {}
        self.statuses: Counter[str] = Counter()
        self.acked = 0
        self.unknown = 0
        self.replayed = 0

    def acknowledge(self, batch: Sequence[dict], items: Sequence[dict], *, replayed: bool) -> None:
        """Enter an answered batch."""
        with self._lock:
            self.replayed += replayed
            for fact, item in zip(batch, items, strict=True):
                self.statuses[item["status"]] += 1
                if item["status"] in _COUNTED:
                    self.acked += 1
                    held = self._facts.get(fact["external_id"])
                    if held is None or held["revision"] < fact["revision"]:
                        self._facts[fact["external_id"]] = fact

    def lose(self, batch: Sequence[dict]) -> None:
        """Enter a batch of which nobody can say what became of it."""
        with self._lock:
            self.unknown += len(batch)

    def figures(self) -> dict[str, Decimal | int]:
        """Return the organisation's totals, under the names that metrics gives them."""
        totals: Counter[str] = Counter()
        money: dict[str, Decimal] = dict.fromkeys(
            ("revenue", "won_amount", "lost_amount", "spend"), Decimal(0)
        )
        with self._lock:
            for fact in self._facts.values():
                if not fact["voided"]:
                    _count(fact, totals, money)
        names = ("leads", "opportunities", "orders", "won", "lost")
        return {**{name: totals[name] for name in names}, **money}

    def refused(self) -> int:
        """Return how many facts were answered in a way that valid facts never are."""
        return sum(count for status, count in self.statuses.items() if status not in _COUNTED)


def _count(fact: dict, totals: Counter[str], money: dict[str, Decimal]) -> None:
    amount = Decimal(fact["amount"])
    if fact["kind"] == "order":
        totals["orders"] += 1
        money["revenue"] += amount
    elif fact["kind"] == "spend":
        money["spend"] += amount
    else:
        totals["opportunities"] += 1
        if fact["stage"] != "open":
            totals[fact["stage"]] += 1
            money[f"{fact['stage']}_amount"] += amount
