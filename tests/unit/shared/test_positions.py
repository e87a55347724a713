"""Offsets that were read, beside the one that was expected."""

import pytest

from shared.kafka.records import IncomingRecord
from shared.messaging.decoding import Decoded, Stage, Unreadable
from shared.messaging.positions import (
    MOST_SEEKS,
    GapAnswer,
    OffsetGap,
    answer_gap,
    not_applied,
    require_no_gap,
)


def read(*offsets: int) -> list[Decoded]:
    content = Unreadable(ValueError(), Stage.VALUE)
    return [Decoded(IncomingRecord("t", 0, at, b"k", b"", ()), "k", 1, content) for at in offsets]


def test_what_was_applied_before_is_left_out():
    assert [each.record.offset for each in not_applied(read(3, 4, 5), 4)] == [4, 5]


@pytest.mark.parametrize("order", ["dense", "rising", "none"])
def test_records_that_follow_on_have_no_gap(order):
    require_no_gap(read(4, 5), 4, order)


@pytest.mark.parametrize("order", ["dense", "rising", "none"])
def test_a_first_record_beyond_the_expected_one_is_a_gap(order):
    with pytest.raises(OffsetGap) as gap:
        require_no_gap(read(5, 6), 4, order)
    assert (gap.value.expected, gap.value.found) == (4, 5)


def test_a_hole_inside_a_batch_is_a_gap_only_where_offsets_have_none():
    with pytest.raises(OffsetGap):
        require_no_gap(read(4, 6), 4, "dense")
    require_no_gap(read(4, 6), 4, "rising")


@pytest.mark.parametrize("order", ["dense", "rising", "none"])
def test_a_gap_is_looked_into_once_and_stops_the_partition_when_the_log_begins_later(order):
    assert answer_gap(4, seeks=0, begins=5, order=order) is GapAnswer.SEEK
    assert answer_gap(4, seeks=1, begins=5, order=order) is GapAnswer.STOP


@pytest.mark.parametrize("begins", [0, 4])
def test_records_that_the_log_still_has_are_sought_again_until_that_is_of_no_use(begins):
    answers = [answer_gap(4, seeks=seeks, begins=begins, order="dense") for seeks in range(MOST_SEEKS + 1)]
    assert answers == [GapAnswer.SEEK] * MOST_SEEKS + [GapAnswer.STOP]


def test_a_hole_in_a_log_that_has_holes_is_accepted():
    assert answer_gap(4, seeks=0, begins=2, order="rising") is GapAnswer.SEEK
    assert answer_gap(4, seeks=1, begins=2, order="rising") is GapAnswer.ACCEPT
