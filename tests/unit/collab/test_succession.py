"""A source's words on one thing, one after the other: at every moment the last one that speaks of it holds, and no other."""

from collections.abc import Iterable
from contextlib import suppress
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

    def say(self, one: Statement, *, now: int) -> Statement:
        since = one.effective_from
        others = [old for old in self.kept.values() if old.effective_to is None or old.effective_to > since]
        found = succeed(one, others, now=at(now), new_id=lambda: UUID(int=next(self._ids)))
        for gone in found.withdrawn:
            del self.kept[gone]
        for held in (*found.changed, found.word, *found.resumed):
            self.kept[held.consent_id] = held
        return found.word

    def states(self, hours: Iterable[int]) -> list[list[ConsentState]]:
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


def test_a_yes_ends_where_a_later_word_begins() -> None:
    book = Book()
    book.say(word(1, NO, 20), now=9)
    assert book.say(word(2, YES, 9), now=9).effective_to == at(20)
    assert book.say(word(3, YES, 10, 12), now=9).effective_to == at(12)
    for over in (word(4, YES, 10, 21), word(5, YES, 20)):
        with pytest.raises(ConsentOverlaps):
            book.say(over, now=9)
    assert book.states([9, 11, 13, 19, 20]) == [[YES], [YES], [YES], [YES], [NO]]


def test_a_no_takes_back_what_has_yet_to_begin_and_not_what_has_begun() -> None:
    book = Book()
    book.say(word(1, YES, 20), now=0)
    assert book.say(word(2, NO, 5), now=5).effective_to is None
    assert book.states([4, 5, 20, 99]) == [[], [NO], [NO], [NO]]
    # Told late: what was said since then stands.
    assert book.say(word(3, NO, 2), now=9).effective_to == at(5)
    with pytest.raises(ConsentOverlaps):
        book.say(word(4, NO, 1, 3), now=9)
    book.say(word(5, YES, 30, 40), now=9)
    book.say(word(6, NO, 10, 35), now=9)
    assert book.states([9, 10, 30, 35, 39, 40]) == [[NO], [NO], [NO], [YES], [YES], [NO]]


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


@given(st.lists(st.tuples(words, st.integers(0, 20)), max_size=8), st.one_of(st.none(), st.integers(1, 30)))
def test_a_no_from_now_on_is_never_refused_and_holds_as_long_as_it_says(
    said: list[tuple[tuple[ConsentState, int, int | None], int]], length: int | None
) -> None:
    book, now = Book(), 0
    for number, ((state, later, lasts), ahead) in enumerate(said, start=1):
        now += later
        start = now + ahead
        with suppress(ConsentOverlaps):
            book.say(word(number, state, start, None if lasts is None else start + lasts), now=now)
    no = book.say(word(99, NO, now, None if length is None else now + length), now=now)
    assert no.effective_to == (None if length is None else at(now + length))
    assert book.states(range(now, now + (length or 60))) == [[NO]] * (length or 60)
    assert all(len(held) <= 1 for held in book.states(range(now + 60)))
