"""What a source's new word does to its other words on the same. Pure.

A new word holds instead of an earlier one for as long as it says. Where it ends first, the earlier one holds
again: as a statement of its own, which tells what it resumes. A word that begins later stands, and the new one
ends there; but what has yet to begin gives way to a no, and to every word if it only resumes. No two ever hold
at the same moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.collab.customers.consents.consent import Statement
from services.collab.customers.consents.refusals import ConsentOverlaps


@dataclass(frozen=True, slots=True)
class Succession:
    """The new word as it holds, and what becomes of the others.

    Those with another period, those that hold again, and those that will not come to hold any more.
    """

    word: Statement
    changed: tuple[Statement, ...]
    resumed: tuple[Statement, ...]
    withdrawn: tuple[UUID, ...]


def succeed(
    said: Statement, others: Sequence[Statement], *, now: datetime, new_id: Callable[[], UUID]
) -> Succession:
    """Make room for a new word among the source's words on the same. Raises ConsentOverlaps."""
    word = _until_the_next(said, others, now)
    changed: list[Statement] = []
    resumed: list[Statement] = []
    withdrawn: list[UUID] = []
    for one in others:
        if not _overlap(one, word):
            continue
        rest = _rest(one, word)
        if one.effective_from < word.effective_from:
            changed.append(replace(one, effective_to=word.effective_from))
            if rest is not None:
                resumed.append(replace(rest, consent_id=new_id(), resumes=one.resumes or one.consent_id))
        elif rest is None:
            withdrawn.append(one.consent_id)
        else:
            changed.append(rest)
    return Succession(word, tuple(changed), tuple(resumed), tuple(withdrawn))


def _until_the_next(word: Statement, others: Sequence[Statement], now: datetime) -> Statement:
    """Return the word as far as it reaches before the next one that stands."""
    standing = [
        one.effective_from
        for one in others
        if one.effective_from >= word.effective_from and not _gives_way(one, word, now)
    ]
    if not standing:
        return word
    following = min(standing)
    # A yes that is told late would undo a no of then, for a time that another word has settled since.
    told_late = following < now and not word.denies
    if told_late or following == word.effective_from:
        raise ConsentOverlaps(
            f"effective_from: this source's statement on the same from {following.isoformat()} on stands; "
            "begin after it."
        )
    if word.effective_to is not None and word.effective_to > following:
        raise ConsentOverlaps(
            f"effective_to: this source's statement on the same from {following.isoformat()} on stands; "
            "end there, or leave it out."
        )
    return replace(word, effective_to=word.effective_to or following)


def _gives_way(one: Statement, word: Statement, now: datetime) -> bool:
    return one.effective_from >= now and (word.denies or one.resumes is not None)


def _overlap(one: Statement, other: Statement) -> bool:
    return (one.effective_to is None or one.effective_to > other.effective_from) and (
        other.effective_to is None or other.effective_to > one.effective_from
    )


def _rest(one: Statement, word: Statement) -> Statement | None:
    """Return what is left of an earlier word once the new one has ended."""
    if word.effective_to is None:
        return None
    if one.effective_to is not None and one.effective_to <= word.effective_to:
        return None
    return replace(one, effective_from=word.effective_to)
