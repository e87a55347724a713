"""Adds facts up the plain way: what metrics has to come to, computed apart from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

_MONEY = {"order": "revenue", "spend": "spend"}


@dataclass
class Ledger:
    """The organisation's totals. Facts come in groups that hold every revision of what they speak of."""

    posted: int = 0
    facts: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("leads", "opportunities", "orders", "won", "lost"), 0)
    )
    money: dict[str, Decimal] = field(
        default_factory=lambda: dict.fromkeys(("revenue", "won_amount", "lost_amount", "spend"), Decimal(0))
    )

    def add(self, group: Iterable[dict[str, Any]]) -> None:
        """Add a group of facts: of each entity the highest revision counts, and a voided one does not."""
        last: dict[tuple[str, str], dict[str, Any]] = {}
        for fact in group:
            self.posted += 1
            name = (fact["kind"], fact["external_id"])
            if name not in last or last[name]["revision"] < fact["revision"]:
                last[name] = fact
        self.facts += len(last)
        for fact in last.values():
            if not fact.get("voided"):
                self._count(fact)

    def figures(self) -> dict[str, Any]:
        """Return the totals under the names that metrics gives them."""
        return {**self.counts, **self.money}

    def _count(self, fact: dict[str, Any]) -> None:
        kind, stage = fact["kind"], fact.get("stage")
        amount = Decimal(fact.get("amount") or 0)
        if kind == "opportunity":
            self.counts["opportunities"] += 1
            if stage in {"won", "lost"}:
                self.counts[stage] += 1
                self.money[f"{stage}_amount"] += amount
        if kind in _MONEY:
            self.money[_MONEY[kind]] += amount
        if kind in {"lead", "order"}:
            self.counts[f"{kind}s"] += 1
