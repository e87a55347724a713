"""A safeguard that is taken out is missed, or another makes up for it: then the two are taken out together."""

import pytest
from hypothesis import find, settings

from tests.simulation.exploring import DRAWN, explore, run_schedule, schedules_until_found
from tests.simulation.known import KNOWN, is_clean, shows
from tests.simulation.mutants import COVERED, FOUND, RARE, Mutant
from tests.simulation.telling import EVENTS, FACTS
from tests.simulation.test_simulation import SEED
from tests.simulation.world import HEADER

ONE_BY_ONE = 800


def kinds_found(mutant: Mutant, schedules: int = ONE_BY_ONE) -> set[str]:
    with mutant.armed() as safeguards:
        runs = explore(schedules, seed=SEED, safeguards=safeguards)
        return {finding.kind for run in runs for finding in run.findings}


@pytest.mark.parametrize("name", FOUND)
def test_a_safeguard_that_is_taken_out_is_missed(name: str):
    found = schedules_until_found(FOUND[name], seed=SEED)
    assert found is not None
    number, run = found
    print(f"{name}: after {number} schedules: {run}")
    # The same schedule over the product as it is.
    assert not run_schedule(run.schedule).findings


@pytest.mark.parametrize("name", COVERED)
def test_what_another_safeguard_makes_up_for_shows_nothing_by_itself(name: str):
    assert kinds_found(COVERED[name]) == set()


@pytest.mark.parametrize(("name", "known"), [(name, each) for name in RARE for each in KNOWN[name]])
def test_what_hardly_any_schedule_shows_is_shown_by_those_that_are_known_to(name: str, known: str):
    rare, schedule = RARE[name], bytes.fromhex(known)
    assert is_clean(None, schedule)
    assert [each.title for each in rare.alone if not is_clean(each, schedule)] == []
    # If this alone fails, what a byte stands for has changed: `python -m tests.simulation.known` finds others.
    assert shows(rare.out, schedule)


def test_what_is_covered_is_covered_by_a_pair_that_is_known_to_show():
    assert {id(each) for each in COVERED.values()} <= {
        id(each) for rare in RARE.values() for each in rare.alone
    }


def test_without_leases_events_are_repeated_and_none_is_lost_or_disordered():
    # Each sender begins at the first row that is not acknowledged, and goes by seq.
    assert kinds_found(FOUND["no-lease"]) == {"repeated without a reason"}


def test_a_log_out_of_order_has_its_effects_in_order_because_keys_wait():
    mutant = FOUND["out-of-order"]
    with mutant.armed() as safeguards:
        runs = explore(ONE_BY_ONE, seed=SEED, safeguards=safeguards)
        # Of a publisher that went back it cannot be told which of its events are out of order.
        found = {finding.kind for run in runs if not run.world.restored for finding in run.findings}
    assert found == {"inverted in log"}


def test_an_offset_moved_too_late_repeats_facts_only_because_events_count_their_versions():
    with FOUND["offset-after-effects"].armed() as safeguards:
        runs = explore(ONE_BY_ONE, seed=SEED, safeguards=safeguards)
        wrong = {finding.example for run in runs for finding in run.findings}
    assert wrong
    assert all(FACTS in example and EVENTS not in example for example in wrong)


def test_a_violation_is_shrunk_to_the_few_steps_that_make_it():
    mutant = FOUND["no-version-test"]
    with mutant.armed() as safeguards:
        schedule = find(
            DRAWN,
            lambda drawn: any(each.kind in mutant.shows for each in run_schedule(drawn, safeguards).findings),
            settings=settings(max_examples=500, database=None),
        )
    # A transaction, a relay that sends and dies, the next one that sends again: healing does the rest.
    assert sum(byte != 0 for byte in schedule[HEADER:]) <= 12
