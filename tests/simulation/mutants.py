"""The backbone with one safeguard taken out: exploring it has to find what the safeguard is there for.

Safeguards of the model are taken out by Safeguards; those that are the product's own decisions out of the product
itself, for as long as a context lasts, and by the same hands as in the fault tests where these have them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from shared.messaging import classification, positions
from shared.messaging.classification import KeyState, Plan
from shared.messaging.decoding import Decoded
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


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is taken out, what that leads to, and within how many schedules it has to show."""

    title: str
    shows: frozenset[str]
    within: int  # schedules
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
    title: str, *shows: str, within: int, safeguards: Safeguards = ALL, tamperings: tuple[Tampering, ...] = ()
) -> Mutant:
    return Mutant(title, frozenset(shows), within, safeguards, tamperings)


FOUND: Mapping[str, Mutant] = {
    "no-aggregate-lock": _mutant(
        "versions drawn without holding the aggregate's row",
        "inverted in log",
        within=2_000,
        safeguards=Safeguards(aggregate_lock=False),
    ),
    "out-of-order": _mutant(
        "batches of a partition handed over by several tasks",
        "inverted in log",
        within=2_000,
        safeguards=Safeguards(sent_in_order=False),
    ),
    "handed-over-together": _mutant(
        "batches of a partition handed over before the one in front of them is acknowledged",
        "inverted in log",
        within=5_000,
        safeguards=Safeguards(one_batch_at_a_time=False),
    ),
    "no-lease": _mutant(
        "buckets sent by whoever likes",
        "repeated without a reason",
        within=2_000,
        safeguards=Safeguards(lease_to_send=False),
    ),
    "delete-before-ack": _mutant(
        "rows deleted before Kafka has them",
        "lost from log",
        within=2_000,
        safeguards=Safeguards(delete_after_ack=False),
    ),
    "no-progress-lock": _mutant(
        "progress read without locking its row",
        "duplicated effect",
        within=2_000,
        safeguards=Safeguards(progress_lock=False),
    ),
    "no-version-test": _mutant(
        "events applied whatever their version",
        "duplicated effect",
        within=2_000,
        tamperings=(_without_version_test,),
    ),
    "offset-after-effects": _mutant(
        "the offset moved after the effects, in a transaction of its own",
        "duplicated effect",
        within=2_000,
        safeguards=Safeguards(advance="after"),
    ),
    "offset-before-effects": _mutant(
        "the offset moved before the effects, in a transaction of its own",
        "unseen",
        within=2_000,
        safeguards=Safeguards(advance="before"),
    ),
    "no-parking": _mutant(
        "an event applied although the one before it has not come",
        "gap in effects",
        within=5_000,
        tamperings=(_without_parking,),
    ),
    "no-gap-test": _mutant(
        "records read on behind missing ones",
        "unseen",
        "gap not reported",
        within=5_000,
        tamperings=(_without_gap_test,),
    ),
}
"""Mutants that have to be found, with the kinds of finding any of which will do."""

COVERED: Mapping[str, Mutant] = {
    "zombie-deletes": _mutant(
        "rows deleted by a relay whose session ended: only what Kafka has acknowledged is deleted, by whomever",
        within=1_000,
        safeguards=Safeguards(lease_to_delete=False),
    ),
    "deletes-unacknowledged": _mutant(
        "a relay whose session ended deletes what it fetched: the session's end refuses that",
        within=1_000,
        safeguards=Safeguards(leaves_unacknowledged=False),
    ),
    "no-offset-test": _mutant(
        "records before next_offset not skipped: the test for gaps sends the reader on to next_offset",
        within=1_000,
        tamperings=(_without_offset_test,),
    ),
}
"""Mutants that another safeguard makes up for: nothing may be found."""

ZOMBIE = _mutant(
    "a relay whose session ended deletes what it fetched, on some other session",
    "lost from log",
    within=10_000,
    safeguards=Safeguards(lease_to_delete=False, leaves_unacknowledged=False),
)
BOTH_OUT: Mapping[str, Mutant] = {
    "no-offset-test": _mutant(
        "neither records before next_offset skipped nor gaps met",
        "duplicated effect",
        within=2_000,
        tamperings=(_without_offset_test, _without_gap_test),
    ),
    "zombie-deletes": ZOMBIE,
    "deletes-unacknowledged": ZOMBIE,
}
"""The covered ones together with what covers them."""
