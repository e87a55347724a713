"""What a source's new word does to its earlier words on the same. Pure.

A later word holds instead of an earlier one for as long as it says. Where it ends first, the earlier one holds
again: as a statement of its own, which tells what it resumes. No two ever hold at the same moment.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.collab.customers.consents.consent import Statement
from services.collab.customers.consents.refusals import ConsentOverlaps


@dataclass(frozen=True, slots=True)
class Succession:
    """What becomes of the earlier words: those with another period, those that hold again, those that never will."""

    changed: tuple[Statement, ...]
    resumed: tuple[Statement, ...]
    dropped: tuple[UUID, ...]


def succeed(
    word: Statement, earlier: Iterable[Statement], *, now: datetime, new_id: Callable[[], UUID]
) -> Succession:
    """Make room for a new word among the source's words on the same. Raises ConsentOverlaps."""
    changed: list[Statement] = []
    resumed: list[Statement] = []
    dropped: list[UUID] = []
    for one in earlier:
        if one.effective_from >= word.effective_from:
            _require_ahead(one, now)
        if not _overlap(one, word):
            continue
        rest = _rest(one, word)
        if one.effective_from < word.effective_from:
            changed.append(replace(one, effective_to=word.effective_from))
            if rest is not None:
                resumed.append(replace(rest, consent_id=new_id(), resumes=one.resumes or one.consent_id))
        elif rest is None:
            dropped.append(one.consent_id)
        else:
            changed.append(rest)
    return Succession(tuple(changed), tuple(resumed), tuple(dropped))


def _require_ahead(one: Statement, now: datetime) -> None:
    """Let only those give way that nobody said for then: what would hold again, and does not yet."""
    if one.resumes is None or one.effective_from < now:
        raise ConsentOverlaps(
            f"effective_from: this source's statement on the same from {one.effective_from.isoformat()} on "
            "stands; begin after it."
        )


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
