"""What became of a mention: whether it reaches somebody, and why not. Pure.

Of reps and territories outside the scope of who asks it tells only whether they share the subject: that they are
there at all, and who covers what, is not theirs to know.
"""

from dataclasses import dataclass
from enum import StrEnum


class Undelivered(StrEnum):
    """Why a mention reaches nobody now."""

    IS_THE_AUTHOR = "is-the-author"
    UNKNOWN_REP = "unknown-rep"
    UNKNOWN_TERRITORY = "unknown-territory"
    NOBODY_COVERS = "nobody-covers"
    CANNOT_SEE_SUBJECT = "cannot-see-subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is known of a mention: of a rep, or of a territory for whoever covered it when it was made.

    `known` is whether who asks may know of the rep or territory, `sees` whether the rep can see the note.
    """

    of_territory: bool
    known: bool
    covered: bool
    by_author: bool
    sees: bool


def why_undelivered(reach: Reach) -> Undelivered | None:
    """Return why a mention reaches nobody now, None when it does."""
    if reach.covered and reach.by_author:
        return Undelivered.IS_THE_AUTHOR
    if reach.covered and reach.sees:
        return None
    if not reach.known:
        return Undelivered.UNKNOWN_TERRITORY if reach.of_territory else Undelivered.UNKNOWN_REP
    return Undelivered.CANNOT_SEE_SUBJECT if reach.covered else Undelivered.NOBODY_COVERS
