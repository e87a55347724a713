"""What became of a mention, and what those who ask may know of it."""

from itertools import product

import pytest

from services.collab.notes.inbox.outcome import Reach, Undelivered, why_undelivered


@pytest.mark.parametrize("of_territory", [True, False])
def test_what_may_not_be_known_is_told_alike_whatever_there_is(*, of_territory: bool) -> None:
    """Covered or not: of what lies outside the scope only that it is seen with the subject is told."""
    told = {
        why_undelivered(
            Reach(of_territory=of_territory, known=False, covered=covered, by_author=False, sees=False)
        )
        for covered in (True, False)
    }
    assert told == {Undelivered.UNKNOWN_TERRITORY if of_territory else Undelivered.UNKNOWN_REP}


def test_whoever_sees_the_subject_is_reached_but_the_author() -> None:
    for of_territory, known in product((True, False), repeat=2):
        reach = Reach(of_territory=of_territory, known=known, covered=True, by_author=False, sees=True)
        assert why_undelivered(reach) is None
        own = Reach(of_territory=of_territory, known=known, covered=True, by_author=True, sees=True)
        assert why_undelivered(own) is Undelivered.IS_THE_AUTHOR


def test_a_known_one_is_told_apart() -> None:
    nobody = Reach(of_territory=True, known=True, covered=False, by_author=False, sees=False)
    assert why_undelivered(nobody) is Undelivered.NOBODY_COVERS
    away = Reach(of_territory=True, known=True, covered=True, by_author=False, sees=False)
    assert why_undelivered(away) is Undelivered.CANNOT_SEE_SUBJECT
