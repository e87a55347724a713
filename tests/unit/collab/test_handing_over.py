"""Accounts move, people decide and the worker looks, in any order and with a clock that only hypothesis moves.

Handoffs and the obligations to accept them are compared with what a plain account of the events says.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.collab.handoffs.checklist import ACCOUNT_V1, codes_of
from services.collab.handoffs.handoff import UNFINISHED, Handoff, HandoffState
from services.collab.handoffs.move import Move, Opened, Unfinished, follow_moves
from services.collab.handoffs.refusals import (
    ChecklistIncomplete,
    HandoffAlreadyDecided,
    HandoffClosed,
    HandoffNotAccepted,
)
from services.collab.protocols.calendar_hours import week_of
from services.collab.protocols.obligations.obligation import Obligation, ObligationState, Outcome
from services.collab.protocols.protocol import (
    Action,
    ProtocolVersion,
    Schedule,
    Step,
    Timer,
    Trigger,
    schedule,
)
from services.collab.protocols.working_hours import Unit, WorkingCalendar, WorkingTime

TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)
CALENDAR = WorkingCalendar(
    "UTC", week_of([{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}])
)
ACCEPT_WITHIN = ProtocolVersion(
    "accept",
    Trigger.HANDOFF_OPENED,
    "primary",
    WorkingTime(8, Unit.HOURS),
    "business",
    (Step(Action.REMIND, WorkingTime(3, Unit.HOURS), 2), Step(Action.ESCALATE), Step(Action.BREACH)),
    True,
)
ITEMS = sorted(codes_of(ACCOUNT_V1))
ACCOUNTS = [UUID(int=n) for n in (1, 2)]
TERRITORIES = [UUID(int=n) for n in (11, 12, 13)]
OUTCOMES = {"accepted": Outcome.FULFILLED, "rejected": Outcome.DECLINED, "superseded": Outcome.WITHDRAWN}


@dataclass
class Told:
    """What happened to a handoff, in words, by somebody who only writes it down."""

    account: UUID
    source: UUID
    target: UUID
    clock: Schedule
    looked: datetime
    story: list[str] = field(default_factory=lambda: ["sent"])
    ticked: set[str] = field(default_factory=set)
    changes: int = 0
    steps: list[Timer] = field(default_factory=list)

    @property
    def stands(self) -> str:
        return self.story[-1]

    def goes_on(self, word: str) -> None:
        self.story.append(word)
        self.changes += 1


class HandingOver(RuleBasedStateMachine):
    """Two accounts, three territories, and whoever is on both sides."""

    @initialize()
    def begin(self) -> None:
        self.ids = count(100)
        self.now = TUESDAY
        self.at: dict[UUID, UUID | None] = dict.fromkeys(ACCOUNTS, TERRITORIES[0])
        self.handoffs: dict[UUID, Handoff] = {}
        self.owed: dict[UUID, Obligation] = {}
        self.told: dict[UUID, Told] = {}
        self._move([(account, TERRITORIES[1], True) for account in ACCOUNTS])

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_next_step_is_due(self) -> None:
        due = [timer.due_at for owed in self.owed.values() for timer in owed.pending]
        self.now = max(self.now, min(due, default=self.now))

    @rule()
    def the_worker_looks(self) -> None:
        for handoff_id, owed in self.owed.items():
            self.owed[handoff_id], taken = owed.advance(self.now)
            told = self.told[handoff_id]
            told.steps += taken
            if told.stands == "sent":
                told.looked = self.now

    @rule(
        journeys=st.lists(
            st.tuples(
                st.sampled_from(ACCOUNTS),
                st.sampled_from([*TERRITORIES, None]),
                st.sampled_from([True, True, False]),
            ),
            min_size=1,
            max_size=3,
        )
    )
    def accounts_move(self, journeys: list[tuple[UUID, UUID | None, bool]]) -> None:
        self._move(journeys)

    @rule(data=st.data(), accepts=st.booleans())
    def the_receiving_side_decides(self, data: st.DataObject, *, accepts: bool) -> None:
        handoff, told = self._any(data)
        decide = handoff.accept if accepts else handoff.reject
        if told.stands != "sent":
            with pytest.raises(HandoffAlreadyDecided):
                decide()
            return
        self.handoffs[handoff.handoff_id] = decide()
        told.goes_on("accepted" if accepts else "rejected")
        self._close(handoff.handoff_id, OUTCOMES[told.stands])

    @rule(data=st.data(), items=st.just(set(ITEMS)) | st.sets(st.sampled_from(ITEMS)), done=st.booleans())
    def somebody_ticks(self, data: st.DataObject, items: set[str], *, done: bool) -> None:
        handoff, told = self._any(data)
        for item in sorted(items):
            if told.stands not in {"sent", "accepted"}:
                with pytest.raises(HandoffClosed):
                    handoff.tick(item, done=done)
                continue
            handoff = self.handoffs[handoff.handoff_id] = handoff.tick(item, done=done)
            told.changes += (item in told.ticked) != done
            (told.ticked.add if done else told.ticked.discard)(item)

    @rule(data=st.data())
    def the_receiving_side_completes(self, data: st.DataObject) -> None:
        handoff, told = self._any(data)
        if told.stands != "accepted":
            with pytest.raises(HandoffNotAccepted):
                handoff.complete()
        elif told.ticked != set(ITEMS):
            with pytest.raises(ChecklistIncomplete):
                handoff.complete()
        else:
            self.handoffs[handoff.handoff_id] = handoff.complete()
            told.goes_on("done")

    @rule(data=st.data())
    def what_is_done_or_gone_is_not_superseded(self, data: st.DataObject) -> None:
        handoff, told = self._any(data)
        if told.stands in {"done", "superseded"}:
            with pytest.raises(HandoffClosed):
                handoff.supersede()

    @invariant()
    def each_handoff_stands_where_its_story_ends(self) -> None:
        for handoff_id, told in self.told.items():
            handoff = self.handoffs[handoff_id]
            assert (handoff.state.value, handoff.done) == (told.stands, told.ticked)
            assert handoff.version == 1 + told.changes

    @invariant()
    def one_handoff_of_an_account_is_unfinished_and_leads_to_where_it_is(self) -> None:
        for account in ACCOUNTS:
            open_now = [told for told in self.told.values() if told.account == account and _open(told)]
            assert len(open_now) <= 1
            for told in open_now:
                assert told.target == self.at[account] != told.source

    @invariant()
    def the_clock_ran_until_the_handoff_was_sent_no_more(self) -> None:
        for handoff_id, told in self.told.items():
            owed = self.owed[handoff_id]
            assert told.steps == [timer for timer in told.clock.timers if timer.due_at <= told.looked]
            if told.stands == "sent":
                late = told.looked >= told.clock.due_at
                assert owed.state is (ObligationState.BREACHED if late else ObligationState.OPEN)
                assert owed.outcome is None
            else:
                # Its first end counts: what was rejected and later superseded was declined.
                assert (owed.state, owed.pending) == (ObligationState.CLOSED, ())
                assert owed.outcome is OUTCOMES[told.story[1]]

    def _move(self, journeys: list[tuple[UUID, UUID | None, bool]]) -> None:
        moves, expected = [], []
        for account, target, planned in journeys:
            source, self.at[account] = self.at[account], target
            if source == target:
                continue
            activation = UUID(int=5) if planned else None
            moves.append(Move(account, source, target, activation, self.now))
            expected += self._write_down(account, source, target, planned=planned, before=expected)
        found = follow_moves(moves, self._unfinished(), lambda: UUID(int=next(self.ids)))
        routes = [
            (one.handoff.account_id, one.from_territory_id, one.to_territory_id) for one in found.opened
        ]
        assert routes == [(told.account, told.source, told.target) for told in expected]
        for opened, told in zip(found.opened, expected, strict=True):
            self._keep(opened, told)
        for gone in found.superseded:
            self.handoffs[gone.handoff.handoff_id] = gone.handoff
            self._close(gone.handoff.handoff_id, Outcome.WITHDRAWN)

    def _any(self, data: st.DataObject) -> tuple[Handoff, Told]:
        handoff_id = data.draw(st.sampled_from(sorted(self.handoffs)))
        return self.handoffs[handoff_id], self.told[handoff_id]

    def _unfinished(self) -> list[Unfinished]:
        """Return what the consumer locks: by the state of the handoff, not by its story."""
        return [
            Unfinished(handoff, self.told[handoff.handoff_id].source)
            for handoff in self.handoffs.values()
            if handoff.state in UNFINISHED
        ]

    def _write_down(
        self, account: UUID, source: UUID | None, target: UUID | None, *, planned: bool, before: list[Told]
    ) -> list[Told]:
        """End the story of what is unfinished, and begin the one that is owed now, if any."""
        knowing = source
        for told in [*self.told.values(), *before]:
            if told.account == account and _open(told):
                knowing = told.target if told.stands == "accepted" else told.source
                told.goes_on("superseded")
        if not planned or source is None or target is None or knowing == target:
            return []
        return [Told(account, knowing, target, schedule(ACCEPT_WITHIN, CALENDAR, self.now), self.now)]

    def _keep(self, opened: Opened, told: Told) -> None:
        assert opened.handoff.state is HandoffState.SENT
        self.handoffs[opened.handoff.handoff_id] = opened.handoff
        self.told[opened.handoff.handoff_id] = told
        self.owed[opened.handoff.handoff_id] = Obligation(ObligationState.OPEN, told.clock.timers)

    def _close(self, handoff_id: UUID, outcome: Outcome) -> None:
        self.owed[handoff_id] = self.owed[handoff_id].close(outcome)


def _open(told: Told) -> bool:
    return told.stands in {"sent", "rejected", "accepted"}


TestHandingOver = HandingOver.TestCase
TestHandingOver.settings = settings(deadline=None, max_examples=150, stateful_step_count=40)
