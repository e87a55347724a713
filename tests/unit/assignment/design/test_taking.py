"""Which accounts a run is about, whom it leaves out, and what somebody who covers has to meet."""

from uuid import UUID, uuid4

import pytest

from services.assignment.alignments.fit.fit import Offered
from services.assignment.design.inputs.permission import ANYWHERE, Kinds
from services.assignment.design.inputs.sorting import NONE, Place, Taking
from services.assignment.design.inputs.unmet import Unmet
from services.assignment.design.runs.run import LeftOut, Requirement

ONE, TWO, OTHER, KEY = (UUID(int=number) for number in range(1, 5))
PINNED, PINNED_AWAY = UUID(int=11), UUID(int=12)


def taking(*, whole: bool = False, with_gaps: bool = False) -> Taking:
    """Take for two territories of a plan that has another and key accounts."""
    return Taking({ONE: 0, TWO: 1}, {PINNED: TWO, PINNED_AWAY: OTHER}, whole, with_gaps, frozenset({KEY}))


@pytest.mark.parametrize(
    ("today", "whole", "with_gaps", "place"),
    [
        (ONE, False, False, Place(0, NONE)),
        (TWO, True, True, Place(1, NONE)),
        (OTHER, False, False, None),
        (OTHER, True, False, Place(NONE, NONE)),
        (KEY, True, True, None),
        (None, True, True, Place(NONE, NONE)),
        (None, True, False, None),
        (None, False, True, Place(NONE, NONE)),
    ],
)
def test_a_run_is_about_the_accounts_of_its_territories(
    *, today: UUID | None, whole: bool, with_gaps: bool, place: Place | None
):
    taken = taking(whole=whole, with_gaps=with_gaps)
    assert taken.take(uuid4(), today, located=True) == place
    assert (taken.left_out, taken.elsewhere) == ([], 1 if place is None else 0)


def test_pins_bring_accounts_in_and_keep_them_out():
    taken = taking()
    assert taken.take(PINNED, OTHER, located=True) == Place(NONE, 1)
    assert taken.take(PINNED, ONE, located=True) == Place(0, 1)
    assert taken.take(PINNED_AWAY, ONE, located=True) is None
    assert taken.take(PINNED_AWAY, OTHER, located=True) is None
    assert (taken.left_out, taken.elsewhere) == ([(PINNED_AWAY, LeftOut.PINNED_ELSEWHERE)], 1)


def test_an_account_without_location_is_left_out_and_noted():
    taken, account = taking(), uuid4()
    assert taken.take(account, ONE, located=False) is None
    assert taken.take(uuid4(), OTHER, located=False) is None
    assert (taken.left_out, taken.elsewhere) == ([(account, LeftOut.NO_LOCATION)], 1)


def kinds(*required: Requirement) -> Kinds:
    """Two territories: one speaks Spanish and knows banks, the other has two reps who each know something."""
    offered = {
        ONE: [Offered(("es",), ("Bank",), ())],
        TWO: [Offered(("en",), ("Bank",), ("audit",)), Offered(("fr",), ("Clinic",), ())],
    }
    return Kinds.of(required, [ONE, TWO, OTHER], offered)


def test_one_rep_has_to_meet_all_that_is_required_and_nobody_is_no_obstacle():
    found = kinds(Requirement.LANGUAGE, Requirement.INDUSTRY)
    assert found.number(None, None, ("audit",)) == ANYWHERE
    spanish, french_bank = found.number("es-MX", None, ()), found.number("fr", "Bank", ())
    assert found.number("es-MX", None, ("audit",)) == spanish != french_bank
    permitted = found.permitted()
    assert permitted[ANYWHERE].tolist() == [True, True, True]
    assert permitted[spanish].tolist() == [True, False, True]
    assert permitted[french_bank].tolist() == [False, False, True]
    assert found.unmet() == []


def test_what_nobody_brings_forbids_nothing_and_is_told():
    found = Kinds.of([Requirement.LANGUAGE], [ONE], {ONE: [Offered(("es",), (), ())]})
    assert [found.number("tlh", None, ()) for _ in range(3)] == [ANYWHERE] * 3
    assert found.number("es", None, ()) == ANYWHERE
    assert found.unmet() == [Unmet("tlh", None, (), 3)]
