"""A source's words on one thing, one after the other: at every moment the last one that speaks of it holds, and no other."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collab.customers.consents.consent import ConsentLevel, ConsentState, Statement, Target
from services.collab.customers.consents.refusals import ConsentOverlaps
from services.collab.customers.consents.succession import succeed
from services.collab.customers.source import Source

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
YES, NO = ConsentState.GRANTED, ConsentState.DENIED
EVERYTHING = Target(ConsentLevel.GLOBAL)


def at(hour: int) -> datetime:
    return BEGIN + timedelta(hours=hour)


def word(number: int, state: ConsentState, start: int, end: int | None = None) -> Statement:
    ends = None if end is None else at(end)
    return Statement(UUID(int=number), EVERYTHING, state, Source.CUSTOMER, at(start), ends)


class Book:
    """What is kept of one source's words, written as the service writes it."""

    def __init__(self) -> None:
        self.kept: dict[UUID, Statement] = {}
        self._ids = count(1_000)

    def say(self, one: Statement, *, now: int) -> None:
        earlier = [
            old
            for old in self.kept.values()
            if old.effective_to is None or old.effective_to > one.effective_from
        ]
        found = succeed(one, earlier, now=at(now), new_id=lambda: UUID(int=next(self._ids)))
        for gone in found.dropped:
            del self.kept[gone]
        for held in (*found.changed, one, *found.resumed):
            self.kept[held.consent_id] = held

    def states(self, hours: Sequence[int]) -> list[list[ConsentState]]:
        return [[one.state for one in self.kept.values() if one.holds(at(hour))] for hour in hours]


def test_after_a_yes_for_a_while_the_standing_no_holds_again() -> None:
    book = Book()
    book.say(word(1, NO, 0), now=0)
    book.say(word(2, YES, 5, 8), now=5)
    assert book.states([0, 4, 5, 7, 8, 99]) == [[NO], [NO], [YES], [YES], [NO], [NO]]
    (resumed,) = (one for one in book.kept.values() if one.resumes is not None)
    assert (resumed.resumes, resumed.effective_from, resumed.effective_to) == (UUID(int=1), at(8), None)


def test_a_word_without_end_is_the_last_one_and_what_was_to_resume_does_not() -> None:
    book = Book()
    book.say(word(1, NO, 0), now=0)
    book.say(word(2, YES, 5, 8), now=5)
    book.say(word(3, YES, 6), now=6)
    assert book.states([5, 6, 8, 99]) == [[YES]] * 4
    assert len(book.kept) == 3


def test_a_longer_while_puts_off_what_resumes_and_a_shorter_one_lies_within() -> None:
    book = Book()
    book.say(word(1, NO, 0), now=0)
    book.say(word(2, YES, 5, 8), now=5)
    book.say(word(3, YES, 6, 10), now=6)
    book.say(word(4, NO, 7, 9), now=7)
    assert book.states([6, 7, 8, 9, 10, 99]) == [[YES], [NO], [NO], [YES], [NO], [NO]]
    assert {one.resumes for one in book.kept.values()} == {None, UUID(int=1), UUID(int=3)}


def test_a_word_said_for_later_stands_and_so_does_what_has_resumed() -> None:
    book = Book()
    book.say(word(1, NO, 0), now=0)
    book.say(word(2, YES, 5, 8), now=5)
    with pytest.raises(ConsentOverlaps):
        book.say(word(3, YES, 6), now=9)
    book.say(word(4, YES, 20), now=9)
    with pytest.raises(ConsentOverlaps):
        book.say(word(5, NO, 10, 12), now=9)
    assert book.states([6, 9, 21]) == [[YES], [NO], [YES]]


words = st.tuples(st.sampled_from([YES, NO]), st.integers(0, 6), st.one_of(st.none(), st.integers(1, 12)))


@given(st.lists(words, max_size=8))
def test_at_every_moment_the_last_word_that_speaks_of_it_holds_alone(
    said: list[tuple[ConsentState, int, int | None]],
) -> None:
    """Each is said a while after the one before, for a time that begins then; told against the words themselves."""
    book, now, last = Book(), 0, []
    for number, (state, later, length) in enumerate(said, start=1):
        now += 1 + later
        one = word(number, state, now, None if length is None else now + length)
        book.say(one, now=now)
        last.append(one)
    for hour in range(now + 15):
        speaking = [one.state for one in last if one.holds(at(hour))]
        assert book.states([hour]) == [speaking[-1:]]
