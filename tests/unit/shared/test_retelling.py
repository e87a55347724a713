"""What a publisher that went back has to tell anew: from the log alone, each event once, in order."""

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import Envelope
from shared.kafka import cloudevents
from shared.kafka.records import IncomingRecord
from shared.messaging.operations.retelling import ToldKey, ToldState
from shared.uuid7 import uuid7_of


def uuid7(millisecond):
    return str(uuid7_of(millisecond, 0))


class Log:
    """One key's records; the clock ticks with each event."""

    def __init__(self):
        self.records, self.clock = [], 0

    def tell(self, version, *, at=None, retells=None, republished=False):
        self.clock += 1
        envelope = Envelope(
            id=uuid7(self.clock if at is None else at), source="/s", type="t", aggregateversion=version
        )
        more = [] if retells is None else [("ce_retells", retells.encode())]
        more += [("ce_republished", b"true")] if republished else []
        headers = [*cloudevents.encode(envelope), *more]
        self.records.append(IncomingRecord("t", 0, len(self.records), b"k", b"{}", headers))
        return envelope.id

    def repeat(self, at):
        self.records.append(self.records[at])

    def read(self, kind=ToldKey):
        told = kind()
        for record in self.records:
            told.read(record)
        return told

    def anew(self, *on_their_way):
        return [event.event_id for event in self.read().to_tell_anew(on_their_way)]


def test_a_log_without_divergence_has_nothing_to_tell_anew():
    log = Log()
    for version in (1, 2, 3):
        log.tell(version)
    log.repeat(0)
    assert (log.read().version, log.anew()) == (3, [])


def test_all_from_the_divergent_event_on_is_told_anew_in_order():
    """What the key told since stands upon it: without it, readers would end with the older of two."""
    log = Log()
    for version in (1, 2, 3):
        log.tell(version)
    later = [log.tell(3), log.tell(4)]
    log.repeat(3)
    assert log.anew() == later
    assert log.read().version == 4


def test_what_was_told_anew_is_not_told_again():
    log = Log()
    for version in (1, 2, 3):
        log.tell(version)
    lost, last = log.tell(2), log.tell(3)
    assert log.anew(lost) == [last]
    log.tell(4, retells=lost)
    assert log.anew() == [last]
    log.tell(5, retells=last)
    log.tell(6)
    assert log.anew() == []


def test_a_divergent_event_is_told_anew_whatever_the_clock_of_the_one_before():
    """Two hosts wrote the key after the restore, the second with a clock that is behind the first one's."""
    log = Log()
    for version in (1, 2, 3):
        log.tell(version)
    later = [log.tell(1, at=9), log.tell(2, at=7)]
    log.repeat(3)
    log.repeat(0)
    assert log.anew() == later
    log.tell(4, retells=later[0])
    log.tell(5, retells=later[1])
    log.repeat(4)
    log.repeat(3)
    assert log.anew() == []


def test_a_second_restore_is_told_from_the_first():
    log = Log()
    for version in (1, 2):
        log.tell(version)
    log.tell(3, retells=log.tell(2))
    second = log.tell(3)
    assert log.anew() == [second]


def test_what_came_between_a_divergent_event_and_its_copy_is_told_anew_too():
    """Else readers, who apply the copy after it, would end with the older of the two."""
    log = Log()
    for version in (1, 2, 3):
        log.tell(version)
    lost, newest = log.tell(3), log.tell(4)
    log.tell(5, retells=lost)
    assert log.anew() == [newest]
    log.tell(6, retells=newest)
    assert log.anew() == []


def test_a_state_under_a_number_that_was_told_was_passed_over():
    log = Log()
    for version in (1, 2, 3):
        log.tell(version)
    log.tell(2)
    assert log.read(ToldState).passed_over
    log.tell(4)
    assert (log.read(ToldState).version, log.read(ToldState).passed_over) == (4, False)
    log.tell(4)
    assert log.read(ToldState).passed_over


def test_a_state_that_was_republished_or_repeated_was_not_passed_over():
    log = Log()
    for version in (1, 2):
        log.tell(version)
    log.repeat(0)
    log.repeat(1)
    log.tell(2, republished=True)
    assert not log.read(ToldState).passed_over


@given(
    st.lists(st.sampled_from(["tell", "restore", "raise", "raise too late", "repeat"]), max_size=40),
    st.data(),
)
def test_whatever_happens_readers_apply_all_in_the_end_and_in_order(steps, data):
    """A reader applies what has the next number; after a raise nothing that was told is missing, or older than it was.

    Too late: something is told between the look at the log and what it says to tell anew.
    """
    log, last = Log(), 0
    told = []

    def raise_numbers(*, late=False):
        nonlocal last
        anew = log.read().to_tell_anew(())
        last = max(last, log.read().version)
        if late:
            last += 1
            told.append(log.tell(last))
        for event in anew:
            last += 1
            log.tell(last, retells=event.event_id)

    for step in steps:
        if step == "tell":
            last += 1
            told.append(log.tell(last))
        elif step == "restore":
            last = data.draw(st.integers(0, last))
        elif step.startswith("raise"):
            raise_numbers(late=step == "raise too late")
        elif log.records:
            log.repeat(data.draw(st.integers(0, len(log.records) - 1)))
    raise_numbers()
    assert log.anew() == []
    # What a reader did last stands.
    assert list(dict.fromkeys(reversed(_applied(log))))[::-1] == told


def _applied(log):
    found, seen = [], 0
    for record in log.records:
        headers = {name: value.decode() for name, value in record.headers}
        if int(headers["ce_aggregateversion"]) == seen + 1:
            seen += 1
            found.append(_original(log, headers["ce_id"]))
    return found


def _original(log, event_id):
    """Return the event that is told; what was told anew may have been told anew in turn."""
    stands_for = {}
    for record in log.records:
        headers = {name: value.decode() for name, value in record.headers}
        if "ce_retells" in headers:
            stands_for[headers["ce_id"]] = headers["ce_retells"]
    while event_id in stands_for:
        event_id = stands_for[event_id]
    return event_id
