"""The backbone with one safeguard taken out: exploring it has to find what the safeguard is there for.

Safeguards of the model are taken out by Safeguards; those that are the product's own decisions out of the product
itself, for as long as a context lasts, and by the same hands as in the fault tests where these have them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from shared.kafka.records import IncomingRecord
from shared.messaging import classification, positions
from shared.messaging.classification import KeyState, Plan
from shared.messaging.decoding import Decoded
from shared.messaging.divergence import KnownIds
from shared.messaging.operations.retelling import ToldKey
from shared.messaging.waiting import Waiting
from tests.faults.tampering.mutants import no_version_test
from tests.simulation.safeguards import ALL, Safeguards

Tampering = Callable[[pytest.MonkeyPatch], None]


def _without_version_test(patch: pytest.MonkeyPatch) -> None:
    # That what it replaces is put back.
    patch.setattr(classification, "_place_dense", classification._place_dense)
    no_version_test()


def _without_parking(patch: pytest.MonkeyPatch) -> None:
    """Apply an event whose predecessor has not come, as if it had."""
    with_parking = classification._place_dense

    def place(plan: Plan, decoded: Decoded) -> None:
        state = plan.states.setdefault(decoded.key or "", KeyState())
        if (decoded.version or 0) > state.seen + 1:
            classification._advance(plan, state, decoded)
        else:
            with_parking(plan, decoded)

    patch.setattr(classification, "_place_dense", place)


def _without_gap_test(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(positions, "require_no_gap", lambda *_: None)


def _without_offset_test(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(positions, "not_applied", lambda decoded, _: list(decoded))


def _without_id_test(patch: pytest.MonkeyPatch) -> None:
    """Take every used number for a repeat."""
    patch.setattr(KnownIds, "exclude", lambda *_, **__: False)


def _with_last_id_only(patch: pytest.MonkeyPatch) -> None:
    """Take any event for another that was made after the last one, as if clocks never differed."""

    def exclude(known: KnownIds, event_id: str | None, *, is_last: bool) -> bool:
        return event_id is not None and known.last is not None and event_id > known.last

    patch.setattr(KnownIds, "exclude", exclude)


def _without_staying_diverged(patch: pytest.MonkeyPatch) -> None:
    """Have the event that diverged wait, and go on with those after it."""
    stay = classification._stay_diverged

    def place(plan: Plan, state: KeyState, decoded: Decoded) -> None:
        if decoded.version == state.seen + 1:
            classification._advance(plan, state, decoded)
        else:
            stay(plan, state, decoded)

    patch.setattr(classification, "_stay_diverged", place)


def _without_retelling(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ToldKey, "to_tell_anew", lambda *_: ())


def _with_polls_in_one_run(patch: pytest.MonkeyPatch) -> None:
    """Take what was polled one after the other for one run, whatever is missing between."""
    put = Waiting.put

    def put_in_one_run(waiting: Waiting, records: Sequence[IncomingRecord]) -> None:
        put(waiting, records)
        while len(waiting._runs) > 1:
            last = waiting._runs.pop()
            waiting._runs[-1] += last

    patch.setattr(Waiting, "put", put_in_one_run)


def _without_look_up(patch: pytest.MonkeyPatch) -> None:
    """Take what comes before the position is looked up."""
    patch.setattr(Waiting, "close", lambda waiting: waiting.forget())


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is taken out, and what that leads to."""

    title: str
    shows: frozenset[str]
    safeguards: Safeguards = ALL
    tamperings: tuple[Tampering, ...] = field(default=())

    @contextmanager
    def armed(self) -> Iterator[Safeguards]:
        """Have the product tampered with for as long as the block lasts; gives the model's safeguards."""
        with pytest.MonkeyPatch.context() as patch:
            for tamper in self.tamperings:
                tamper(patch)
            yield self.safeguards


def _mutant(
    title: str, *shows: str, safeguards: Safeguards = ALL, tamperings: tuple[Tampering, ...] = ()
) -> Mutant:
    return Mutant(title, frozenset(shows), safeguards, tamperings)


FOUND: Mapping[str, Mutant] = {
    "no-aggregate-lock": _mutant(
        "versions drawn without holding the aggregate's row",
        "inverted in log",
        safeguards=Safeguards(aggregate_lock=False),
    ),
    "out-of-order": _mutant(
        "batches of a partition handed over by several tasks",
        "inverted in log",
        safeguards=Safeguards(sent_in_order=False),
    ),
    "handed-over-together": _mutant(
        "batches of a partition handed over before the one in front of them is acknowledged",
        "inverted in log",
        safeguards=Safeguards(one_batch_at_a_time=False),
    ),
    "no-lease": _mutant(
        "buckets sent by whoever likes",
        "repeated without a reason",
        safeguards=Safeguards(lease_to_send=False),
    ),
    "delete-before-ack": _mutant(
        "rows deleted before Kafka has them",
        "lost from log",
        safeguards=Safeguards(delete_after_ack=False),
    ),
    "no-progress-lock": _mutant(
        "progress read without locking its row",
        "duplicated effect",
        safeguards=Safeguards(progress_lock=False),
    ),
    "no-version-test": _mutant(
        "events applied whatever their version",
        "duplicated effect",
        tamperings=(_without_version_test,),
    ),
    "offset-after-effects": _mutant(
        "the offset moved after the effects, in a transaction of its own",
        "duplicated effect",
        safeguards=Safeguards(advance="after"),
    ),
    "offset-before-effects": _mutant(
        "the offset moved before the effects, in a transaction of its own",
        "unseen",
        safeguards=Safeguards(advance="before"),
    ),
    "no-parking": _mutant(
        "an event applied although the one before it has not come",
        "gap in effects",
        tamperings=(_without_parking,),
    ),
    "no-gap-test": _mutant(
        "records read on behind missing ones",
        "unseen",
        "gap not reported",
        tamperings=(_without_gap_test,),
    ),
    "no-id-test": _mutant(
        "an event under a used number taken for a repeat, whatever its id",
        "divergence dropped",
        tamperings=(_without_id_test,),
    ),
    "last-id-only": _mutant(
        "an event taken for another because it was made after the last one",
        "not at rest",
        "held without divergence",
        tamperings=(_with_last_id_only,),
    ),
    "no-staying-diverged": _mutant(
        "a key read on behind an event that diverged",
        "divergence applied",
        tamperings=(_without_staying_diverged,),
    ),
    "no-retelling": _mutant(
        "numbers raised, and nothing told anew",
        "never told anew",
        tamperings=(_without_retelling,),
    ),
}
"""Mutants that have to be found, with the kinds of finding any of which will do."""

COVERED: Mapping[str, Mutant] = {
    "zombie-deletes": _mutant(
        "rows deleted by a relay whose session ended: only what Kafka has acknowledged is deleted, by whomever",
        safeguards=Safeguards(lease_to_delete=False),
    ),
    "deletes-unacknowledged": _mutant(
        "a relay whose session ended deletes what it fetched: the session's end refuses that",
        safeguards=Safeguards(leaves_unacknowledged=False),
    ),
    "no-offset-test": _mutant(
        "records before next_offset not skipped: the test for gaps sends the reader on to next_offset",
        tamperings=(_without_offset_test,),
    ),
}
"""Mutants that another safeguard makes up for: nothing may be found."""


@dataclass(frozen=True, slots=True)
class Rare:
    """What random schedules hardly ever show: with all of it out, and with each of `alone`, which shows nothing."""

    out: Mutant
    alone: tuple[Mutant, ...] = ()


RARE: Mapping[str, Rare] = {
    "zombie-deletes": Rare(
        _mutant(
            "a relay whose session ended deletes what it fetched, on some other session",
            "lost from log",
            safeguards=Safeguards(lease_to_delete=False, leaves_unacknowledged=False),
        ),
        (COVERED["zombie-deletes"], COVERED["deletes-unacknowledged"]),
    ),
    "no-offset-test": Rare(
        _mutant(
            "neither records before next_offset skipped nor gaps met",
            "duplicated effect",
            tamperings=(_without_offset_test, _without_gap_test),
        ),
        (COVERED["no-offset-test"], FOUND["no-gap-test"]),
    ),
    "before-look-up": Rare(
        _mutant(
            "records taken before the position is looked up",
            "unseen",
            tamperings=(_without_look_up,),
        ),
    ),
    "polls-in-one-run": Rare(
        _mutant(
            "polls that do not follow on each other taken for one run",
            "gap not reported",
            tamperings=(_with_polls_in_one_run,),
        ),
    ),
}
"""Each has schedules that are known to show it (known.py)."""
