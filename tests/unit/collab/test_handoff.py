from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collab.handoffs.checklist import ACCOUNT_V1, TEMPLATES, codes_of
from services.collab.handoffs.handoff import Handoff, HandoffState
from services.collab.handoffs.refusals import (
    ChecklistIncomplete,
    HandoffAlreadyDecided,
    HandoffClosed,
    HandoffNotAccepted,
)
from shared.runtime.refusals import NotFound, Refusal

SENT = Handoff(UUID(int=1), UUID(int=2), ACCOUNT_V1, HandoffState.SENT, 1, frozenset())
ITEMS = sorted(codes_of(ACCOUNT_V1))
CLOSED = {HandoffState.DONE, HandoffState.SUPERSEDED}

Action = Callable[[Handoff], Handoff]
actions: st.SearchStrategy[Action] = st.one_of(
    st.sampled_from([Handoff.accept, Handoff.reject, Handoff.complete, Handoff.supersede]),
    st.builds(
        lambda item, done: lambda handoff: handoff.tick(item, done=done),
        st.sampled_from([*ITEMS, "unknown"]),
        st.booleans(),
    ),
)
ALLOWED = {
    HandoffState.SENT: {
        HandoffState.SENT,
        HandoffState.ACCEPTED,
        HandoffState.REJECTED,
        HandoffState.SUPERSEDED,
    },
    HandoffState.ACCEPTED: {HandoffState.ACCEPTED, HandoffState.DONE, HandoffState.SUPERSEDED},
    HandoffState.REJECTED: {HandoffState.SUPERSEDED},
}


@given(st.lists(actions, max_size=12))
def test_whatever_people_do_a_handoff_stays_on_its_path(done: list[Action]):
    handoff = SENT
    for action in done:
        before = handoff
        try:
            handoff = action(handoff)
        except Refusal:
            assert handoff == before
            continue
        assert handoff.state in ALLOWED[before.state]
        assert handoff.version == before.version + (handoff != before)
        assert handoff.state is not HandoffState.DONE or handoff.done == set(ITEMS)
        assert before.state not in CLOSED


def test_a_handoff_is_decided_once():
    for decided in (SENT.accept(), SENT.reject()):
        for action in (decided.accept, decided.reject):
            with pytest.raises(HandoffAlreadyDecided):
                action()


def test_what_is_done_or_gone_is_not_superseded():
    done = SENT.accept()
    for item in ITEMS:
        done = done.tick(item, done=True)
    for unfinished in (SENT, SENT.accept(), SENT.reject()):
        assert unfinished.supersede().state is HandoffState.SUPERSEDED
    for handoff in (done.complete(), SENT.supersede()):
        with pytest.raises(HandoffClosed):
            handoff.supersede()


def test_completion_needs_acceptance_and_every_item():
    with pytest.raises(HandoffNotAccepted):
        SENT.complete()
    handoff = SENT.tick(ITEMS[0], done=True).accept()
    with pytest.raises(ChecklistIncomplete) as refused:
        handoff.complete()
    assert refused.value.extensions == {"open_items": ITEMS[1:]}
    for item in ITEMS[1:]:
        handoff = handoff.tick(item, done=True)
    assert handoff.complete().state is HandoffState.DONE


def test_the_checklist_of_a_closed_handoff_stays_as_it_is():
    with pytest.raises(HandoffClosed):
        SENT.reject().tick(ITEMS[0], done=True)
    with pytest.raises(NotFound):
        SENT.tick("unknown", done=True)


def test_templates_are_short_and_their_codes_unique():
    for items in TEMPLATES.values():
        assert 3 <= len(items) <= 5
        assert len({item.code for item in items}) == len(items)
