"""Which accounts a run is about, whom it leaves out, and what somebody who covers has to meet."""

import time
from collections.abc import Collection, Mapping
from itertools import product
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.alignments.fit.fit import Offered, Wanted, measure_fit
from services.assignment.design.inputs.permission import ANYWHERE, Covering, Kinds
from services.assignment.design.inputs.sorting import NONE, Place, Taking
from services.assignment.design.inputs.unmet import Unmet
from services.assignment.design.runs.run import LeftOut, Requirement

ONE, TWO, OTHER, KEY = (UUID(int=number) for number in range(1, 5))
PINNED, PINNED_AWAY, ANY = UUID(int=11), UUID(int=12), UUID(int=13)


def taking(*, whole: bool = False, with_gaps: bool = False, kept: frozenset[UUID] = frozenset()) -> Taking:
    """Take for two territories of a plan that has another and key accounts."""
    return Taking(
        {ONE: 0, TWO: 1}, {PINNED: TWO, PINNED_AWAY: OTHER}, whole, with_gaps, frozenset({KEY}), kept
    )


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


def test_whom_the_draft_sends_to_named_accounts_it_keeps_but_for_pins():
    """Placements come ahead of rules: an accepted proposal would take such accounts from their key account managers."""
    kept = uuid4()
    taken = taking(whole=True, kept=frozenset({kept, PINNED}))
    assert taken.take(kept, ONE, located=True) is None
    assert taken.take(PINNED, OTHER, located=True) == Place(NONE, 1)
    assert taken.left_out == [(kept, LeftOut.KEPT_BY_DRAFT)]


def kinds(*required: Requirement, forbidden: Mapping[UUID, Collection[UUID]] | None = None) -> Kinds:
    """Two territories: one speaks Spanish and knows banks, the other has two reps who each know something."""
    offered = {
        ONE: [Offered(("es",), ("Bank",), ())],
        TWO: [Offered(("en",), ("Bank",), ("audit",)), Offered(("fr",), ("Clinic",), ())],
    }
    return Kinds.of(required, [ONE, TWO, OTHER], offered, forbidden or {})


def test_one_rep_has_to_meet_all_that_is_required_and_nobody_is_no_obstacle():
    found = kinds(Requirement.LANGUAGE, Requirement.INDUSTRY)
    assert found.number(ANY, None, None, ("audit",)) == ANYWHERE
    spanish, french_bank = found.number(ANY, "es-MX", None, ()), found.number(ANY, "fr", "Bank", ())
    assert found.number(ANY, "es-MX", None, ("audit",)) == spanish != french_bank
    permitted = found.permitted()
    assert permitted[ANYWHERE].tolist() == [True, True, True]
    assert permitted[spanish].tolist() == [True, False, True]
    assert permitted[french_bank].tolist() == [False, False, True]
    assert found.unmet() == []


def test_what_nobody_brings_forbids_nothing_and_is_told():
    found = Kinds.of([Requirement.LANGUAGE], [ONE], {ONE: [Offered(("es",), (), ())]}, {})
    assert [found.number(ANY, "tlh", None, ()) for _ in range(3)] == [ANYWHERE] * 3
    assert found.number(ANY, "es", None, ()) == ANYWHERE
    assert found.unmet() == [Unmet("tlh", None, (), 3)]


def test_what_is_forbidden_to_a_territory_is_a_kind_of_its_own():
    one, other = uuid4(), uuid4()
    found = kinds(Requirement.LANGUAGE, forbidden={one: [ONE], other: [OTHER, TWO]})
    barred, both, free = (found.number(account, None, None, ()) for account in (one, other, uuid4()))
    french = found.number(one, "fr", None, ())
    permitted = found.permitted()
    assert free == ANYWHERE
    assert permitted[barred].tolist() == [False, True, True]
    assert permitted[both].tolist() == [True, False, False]
    assert permitted[french].tolist() == [False, True, True]
    assert found.unmet() == []


def test_what_is_forbidden_goes_before_a_wish_that_nobody_else_meets():
    account = uuid4()
    found = kinds(Requirement.LANGUAGE, forbidden={account: [ONE, OTHER]})
    kind = found.number(account, "es", None, ())
    assert found.permitted()[kind].tolist() == [False, True, False]
    assert found.unmet() == [Unmet("es", None, (), 1)]


_OFFERS = st.builds(
    Offered,
    st.lists(st.sampled_from(["es", "en-GB"]), max_size=2).map(tuple),
    st.lists(st.sampled_from(["Bank", "Clinic"]), max_size=2).map(tuple),
    st.lists(st.sampled_from(["audit", "tax"]), max_size=2).map(tuple),
)
_WISHES = st.builds(
    Wanted,
    st.sampled_from([None, "es-MX", "en", "fr"]),
    st.sampled_from([None, "bank", "Farm"]),
    st.sampled_from([(), ("audit",), ("audit", "tax")]),
)


@given(st.lists(st.lists(_OFFERS, max_size=3), min_size=1, max_size=4), st.lists(_WISHES, max_size=4))
def test_a_territory_meets_what_the_fit_of_one_rep_meets_wholly(
    offered: list[list[Offered]], wishes: list[Wanted]
):
    covering = Covering.of(offered)
    for wanted in wishes:
        assert covering.meet(wanted).tolist() == [
            not reps
            or any(all(part.score in {None, 100} for part in measure_fit(wanted, one).parts) for one in reps)
            for reps in offered
        ]


def test_many_wishes_of_many_territories_do_not_hold_up_the_worker():
    """One by one they took 12 s, without a heartbeat: another worker took the run."""
    territories = [uuid4() for _ in range(1000)]
    offered = {
        one: [Offered((f"l{n % 5}",), (f"i{(n + k) % 20}",), (f"n{k}",)) for k in range(2)]
        for n, one in enumerate(territories)
    }
    found = Kinds.of(list(Requirement), territories, offered, {})
    begun = time.process_time()
    for language, industry, need in product(range(5), range(20), range(9)):
        found.number(ANY, f"l{language}", f"i{industry}", (f"n{need}",))
    assert time.process_time() - begun < 2
    assert found.permitted().shape[1] == 1000
