"""Small pasts, made up at random: the same one is told in another order each time."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts.assignment import CoverageEnded, CoverageStarted, PlannedMove, PlanPreviewed
from shared.contracts.identity import account_id_of
from shared.contracts.sales import Fact
from shared.messaging.received import Received
from tests.service.metrics.recomputation import Inputs
from tests.service.metrics.telling import A_DAY, activated, aligned, fact, received, recorded, territory, tree

MOMENTS = [
    datetime(2026, month, day, hour, tzinfo=UTC)
    for month, day in [(1, 1), (1, 2), (1, 3), (1, 7), (1, 8), (2, 6), (3, 31), (4, 2)]
    for hour in (0, 9, 15)
]
TREES = [
    {"north": None, "south": None, "n1": "north", "n2": "north", "s1": "south"},
    {"north": None, "south": None, "n1": "north", "n2": "south", "s1": "south"},
    {"all": None, "north": "all", "south": "all", "n1": "north", "n2": "n1", "new": "south"},
]
ACCOUNTS = [f"a{n}" for n in range(5)]
TERRITORIES = ["n1", "n2", "s1", "north", "new", "elsewhere"]
KINDS = ("facts", "alignments", "activations", "trees", "starts", "ends", "previews")
News = tuple[str, Received[Any]]


class History:
    """A small past, made up at random: corrections change everything that a correction may change."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        versions = dict.fromkeys(ACCOUNTS, 0)
        self.alignments = []
        for account in rng.choices(ACCOUNTS, k=rng.randint(3, 14)):
            versions[account] += rng.randint(1, 2)
            to, valid_from = rng.choice([*TERRITORIES, None]), rng.choice(MOMENTS)
            self.alignments.append(aligned(account, to, version=versions[account], valid_from=valid_from))
        self.trees = [tree(parents) for parents in TREES]
        self.activations = [
            activated(rng.choice(self.trees), sequence=n + 1, effective_at=rng.choice(MOMENTS))
            for n in range(rng.randint(0, 4))
        ]
        self.facts = [telling for n in range(25) for telling in self._tellings(f"f{n}")]
        self.coverages = [self._coverage() for _ in range(rng.randint(4, 12))]
        self.previews = [self._preview(UUID(int=1 + n % 2)) for n in range(rng.randint(1, 4))]

    def _tellings(self, name: str) -> list[Fact]:
        """Return some of the revisions of a fact; now and then one is told in two ways."""
        rng = self.rng
        kind = rng.choice(["order", "order", "opportunity", "lead", "lead", "spend", "deal", "refund"])
        made: list[Fact] = []
        created_at = rng.choice(MOMENTS)
        for revision in range(1, rng.randint(2, 5)):
            told = {"kind": kind, "revision": revision, "created_at": created_at}
            made += [self._telling(name, **told) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        return rng.sample(made, rng.randint(1, len(made)))

    def _telling(self, name: str, *, kind: str, **told: Any) -> Fact:
        rng = self.rng
        told["occurred_at"] = rng.choice(MOMENTS) + timedelta(minutes=rng.randint(-1, 1))
        told["account_external_id"] = rng.choice([*ACCOUNTS, None] if kind == "spend" else ACCOUNTS)
        if kind == "opportunity":
            told["stage"] = rng.choice(["open", "won", "lost"])
        if kind != "lead":
            currency, amount = rng.choice(
                [("USD", "19.99"), ("JPY", "500"), ("BHD", "1.234"), ("USD", "-4.01")]
            )
            told |= {"currency": currency, "amount": amount}
        if kind in {"lead", "spend"}:
            told |= {"channel": rng.choice(["fair", None]), "paid": rng.choice([True, False, None])}
        if kind == "refund":
            told |= {"order_external_id": f"f{rng.randrange(25)}", "amount": told["amount"].lstrip("-")}
        if kind in {"order", "deal", "opportunity"}:
            told["lead_external_id"] = rng.choice([None, None, f"f{rng.randrange(25)}"])
        return fact(name, kind=kind, **told, voided=rng.random() < 0.15)

    def _coverage(self) -> tuple[CoverageStarted, list[CoverageEnded]]:
        """Return the start of a coverage and its ends: none is known, or the last one told counts."""
        rng = self.rng
        about = {
            "coverage_id": UUID(int=rng.getrandbits(128)),
            "territory_id": territory(rng.choice(TERRITORIES)),
            "rep_id": UUID(int=rng.randrange(1, 4)),
        }
        started = CoverageStarted.model_validate(
            {
                **about,
                "role": rng.choice(["primary", "primary", "primary", "overlay"]),
                "share_percent": 100,
                "valid_from": rng.choice(MOMENTS),
            }
        )
        ends = [
            CoverageEnded.model_validate({**about, "valid_to": rng.choice(MOMENTS)})
            for _ in range(rng.choice([0, 1, 2]))
        ]
        return started, ends

    def _preview(self, plan_id: UUID) -> list[PlanPreviewed]:
        rng = self.rng
        planned = rng.choice(self.trees).event
        moves = [
            PlannedMove(account_id=account_id_of(account), to_territory_id=to and territory(to))
            for account in rng.sample(ACCOUNTS, rng.randint(0, len(ACCOUNTS)))
            for to in [rng.choice([*TERRITORIES, None])]
        ]
        parts = [moves[at : at + 2] for at in range(0, len(moves), 2)] or [[]]
        preview_id = UUID(int=rng.getrandbits(128))
        return [
            PlanPreviewed(
                plan_id=plan_id,
                preview_id=preview_id,
                plan_version=1,
                tree_id=planned.tree_id,
                part=number,
                parts=len(parts),
                territories=planned.territories if number == 1 else (),
                moves=tuple(part),
                previewed_at=A_DAY,
            )
            for number, part in enumerate(parts, start=1)
        ]

    def inputs(self) -> Inputs:
        """Return the past as sets."""
        return Inputs(
            facts=self.facts,
            alignments={(r.event.account_id, r.version): r.event for r in self.alignments},
            activations=[r.event for r in self.activations],
            trees=[r.event for r in self.trees],
            coverages=[(started, ends[-1].valid_to if ends else None) for started, ends in self.coverages],
        )

    def latest_previews(self) -> dict[UUID, list[PlanPreviewed]]:
        """Return the preview of each plan that replaced those before."""
        return {parts[0].plan_id: parts for parts in self.previews}

    def told(self) -> Iterator[tuple[str, list[Received[Any]]]]:
        """Tell the past in another order each time, with repetitions, in batches as the handlers get them."""
        rng = self.rng
        news: list[News] = [("facts", recorded(told, partition=rng.randrange(8))) for told in self.facts]
        news += [("alignments", r) for r in self.alignments]
        news += [("activations", r) for r in self.activations]
        news += [("trees", r) for r in self.trees]
        news += rng.choices(news, k=len(news) // 4)
        ordered: list[News] = [
            told
            for started, ends in self.coverages
            for told in [("starts", received(started)), *(("ends", received(end)) for end in ends)]
        ]
        ordered += [("previews", received(part)) for parts in self.previews for part in parts]
        news += ordered
        rng.shuffle(news)
        news = list(_each_key_in_order(news, ordered))
        while news:
            size = rng.randint(1, 40)
            some, news = news[:size], news[size:]
            for name in rng.sample(KINDS, len(KINDS)):
                if batch := [r for kind, r in some if kind == name]:
                    yield name, batch


def _each_key_in_order(shuffled: Iterable[News], ordered: list[News]) -> Iterator[News]:
    """Put the news of each key of the ordered ones where they were shuffled to, but in their order."""
    kinds = {kind for kind, _ in ordered}
    waiting: dict[str, list[News]] = {}
    for one in ordered:
        waiting.setdefault(one[1].event.key, []).append(one)
    for kind, news in shuffled:
        yield waiting[news.event.key].pop(0) if kind in kinds else (kind, news)
