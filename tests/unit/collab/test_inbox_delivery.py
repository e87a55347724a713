"""Whom a note is put before, and why."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.collab.notes.inbox.delivery import Delivery, Mentions, Reason, deliveries

ANN, BEN, CEM = (UUID(int=number) for number in (1, 2, 3))
NORTH = UUID(int=11)
IDS = st.sampled_from([UUID(int=number) for number in range(1, 8)])


def test_a_mention_says_more_than_a_reply_and_a_name_more_than_a_territory() -> None:
    mentions = Mentions(reps=(BEN,), territories=(NORTH,))
    assert deliveries(mentions, {NORTH: CEM}, [str(ANN), str(BEN)], author="chief") == [
        Delivery(str(ANN), Reason.REPLY),
        Delivery(str(BEN), Reason.MENTION),
        Delivery(str(CEM), Reason.MENTION, NORTH),
    ]
    both = deliveries(Mentions((CEM,), (NORTH,)), {NORTH: CEM}, [], author="chief")
    assert both == [Delivery(str(CEM), Reason.MENTION)]


@given(st.lists(IDS), st.dictionaries(IDS, IDS), st.lists(IDS), IDS)
def test_everybody_gets_it_once_and_the_author_never(
    reps: list[UUID], covering: dict[UUID, UUID], taking_part: list[UUID], author: UUID
) -> None:
    found = deliveries(
        Mentions(tuple(reps), tuple(covering)), covering, map(str, taking_part), author=str(author)
    )
    told = [one.recipient for one in found]
    assert told == sorted(set(told))
    assert set(told) == {str(one) for one in (*reps, *covering.values(), *taking_part)} - {str(author)}
