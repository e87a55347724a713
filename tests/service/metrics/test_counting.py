"""What handlers make of facts, alignments and trees; whatever happens, both views have the same total."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import text

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.facts.fact_row import row_of
from services.metrics.reconciliations.commands import Reconcile, reconcile
from shared.contracts.identity import ORGANISATION, UNASSIGNED
from tests.service.metrics.telling import (
    A_DAY,
    TREE,
    activated,
    aligned,
    fact,
    read_cells,
    read_revenue,
    recorded,
    territory,
    tree,
)

AS_WAS, AS_IS = 1, 2
NAMES = ("north", "n1", "n2", "south", "s1")


@pytest.fixture
async def tell(transact):
    """Give one event or several to a handler, each call a transaction."""

    async def tell(handler, *batch):
        await transact(handler, list(batch))

    return tell


@pytest.fixture
async def cells(engine):
    """Read the cells, after checking that both views add up alike."""

    async def cells():
        async with engine.connect() as connection:
            found = await read_cells(connection)
        totals = [
            {key[2:]: cell for key, cell in found.items() if key[:2] == (view, ORGANISATION)}
            for view in (1, 2)
        ]
        assert totals[0] == totals[1]
        return found

    return cells


@pytest.fixture
async def revenue(engine, cells):
    """Read the revenue of the usual territories in a view."""

    async def revenue(view):
        await cells()
        async with engine.connect() as connection:
            return await read_revenue(connection, view, NAMES)

    return revenue


@pytest.fixture(autouse=True)
async def proven(transact, engine):
    """End every test with a recount that finds no difference."""
    yield
    made = await transact(reconcile, Reconcile())
    assert made.differences == ()


@pytest.fixture
async def planned(tell):
    """A tree in force for a year, with account a1 in n1 and a2 in s1."""
    await tell(record_trees, TREE)
    await tell(record_activations, activated(TREE, sequence=1))
    await tell(record_alignments, aligned("a1", "n1", version=1), aligned("a2", "s1", version=1))


async def test_a_fact_counts_once_in_a_batch_across_batches_and_replayed(planned, tell, revenue, engine):
    for _ in range(3):
        await tell(apply_facts, recorded(fact(), fact(), partition=1), recorded(fact(), partition=1))
        await tell(apply_facts, recorded(fact(), partition=6))
    assert await revenue(AS_WAS) == {"north": 10000, "n1": 10000, "n2": 0, "south": 0, "s1": 0}
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM stale_accounts"))).scalar() == 1


async def test_the_highest_revision_counts_whatever_order_they_come_in(planned, tell, revenue):
    await tell(apply_facts, recorded(fact(revision=3, amount="120.00")))
    await tell(apply_facts, recorded(fact(revision=1, amount="100.00"), fact(revision=2, amount="80.00")))
    assert (await revenue(AS_IS))["n1"] == 12000
    await tell(apply_facts, recorded(fact(revision=4, voided=True)))
    assert (await revenue(AS_IS))["n1"] == 0
    await tell(apply_facts, recorded(fact(revision=3, amount="120.00")))
    assert (await revenue(AS_IS))["n1"] == 0


async def test_a_void_that_comes_first_keeps_the_fact_from_counting(planned, tell, cells):
    await tell(apply_facts, recorded(fact(revision=2, voided=True)))
    await tell(apply_facts, recorded(fact(revision=1)))
    assert await cells() == {}


AMOUNTS = ("100.00", "999.00", "777.00")


@pytest.mark.parametrize("order", list(permutations(AMOUNTS)))
@pytest.mark.parametrize("at_once", [True, False])
async def test_of_tellings_of_a_revision_the_same_counts_in_any_order(
    planned, tell, revenue, engine, order, at_once
):
    """The one of the smallest digest; the others are kept aside, and a higher revision replaces them all."""
    tellings = [fact(amount=amount) for amount in order]
    for batch in [tellings] if at_once else [[one] for one in tellings]:
        await tell(apply_facts, recorded(*batch), recorded(*batch))
    by_digest = sorted(map(row_of, tellings), key=lambda row: row.payload_hash)
    first, *others = [row.amount_minor for row in by_digest]
    assert (await revenue(AS_WAS))["n1"] == first
    await tell(apply_facts, recorded(fact(amount=AMOUNTS[0]), fact(revision=2, amount="1.00")))
    assert (await revenue(AS_WAS))["n1"] == 100
    async with engine.connect() as connection:
        kept = await connection.execute(text("SELECT amount_minor FROM fact_conflicts"))
        assert sorted(kept.scalars()) == sorted(others)
        replaced = await connection.execute(text("SELECT revision, amount_minor FROM fact_history"))
        assert [tuple(row) for row in replaced] == [(1, first)]


async def test_a_correction_may_change_day_account_amount_and_currency_at_once(planned, tell, cells, engine):
    await tell(apply_facts, recorded(fact(amount="100.00", currency="USD")))
    moved_on = A_DAY + timedelta(days=1)
    corrected = fact(
        revision=2, account_external_id="a2", occurred_at=moved_on, amount="7000", currency="JPY"
    )
    await tell(apply_facts, recorded(corrected))
    found = await cells()
    assert {key[3] for key in found} == {"JPY"}
    assert {key[2] for key in found} == {moved_on.date()}
    assert found[AS_WAS, territory("south"), moved_on.date(), "JPY"] == {
        "orders": 1, "revenue_minor": 7000, "facts": 1,
    }  # fmt: skip
    async with engine.connect() as connection:
        kept = await connection.execute(text("SELECT revision, amount_minor FROM fact_history"))
        assert [tuple(row) for row in kept] == [(1, 10000)]


async def test_every_kind_and_stage_is_counted_in_its_currency(planned, tell, cells):
    await tell(
        apply_facts,
        recorded(
            fact("l", kind="lead"),
            fact("o1", kind="opportunity", stage="open", amount="0.001", currency="BHD"),
            fact("o2", kind="opportunity", stage="won", amount="2.500", currency="BHD"),
            fact("o3", kind="opportunity", stage="lost"),
            fact("s", kind="spend", amount="12", currency="JPY"),
            fact("r", amount="-0.01", currency="EUR"),
        ),
    )
    found = await cells()
    n1 = {key[3]: cell for key, cell in found.items() if key[:2] == (AS_IS, territory("n1"))}
    assert n1 == {
        "XXX": {"leads": 1, "opportunities": 1, "lost": 1, "facts": 2},
        "BHD": {"opportunities": 2, "open_minor": 1, "won": 1, "won_minor": 2500, "facts": 2},
        "JPY": {"spend_minor": 12, "facts": 1},
        "EUR": {"orders": 1, "revenue_minor": -1, "facts": 1},
    }


async def test_what_no_territory_holds_is_unassigned_and_in_the_total(planned, tell, cells):
    await tell(
        apply_facts,
        recorded(
            fact("o1", account_external_id="stranger"),
            fact("s1", kind="spend", account_external_id=None),
            fact("o2", occurred_at=A_DAY - timedelta(days=700)),
        ),
    )
    found = await cells()
    assert found[AS_IS, UNASSIGNED, A_DAY.date(), "USD"]["facts"] == 2
    before = (A_DAY - timedelta(days=700)).date()
    assert found[AS_WAS, UNASSIGNED, before, "USD"]["facts"] == 1
    assert found[AS_IS, territory("n1"), before, "USD"]["facts"] == 1


async def test_a_move_at_an_instant_parts_the_day(planned, tell, revenue):
    """23:59:59.999 is the old holder's, 00:00:00 the new one's; today's holder has both."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    await tell(
        apply_facts,
        recorded(
            fact("o1", occurred_at=at - timedelta(milliseconds=1), amount="1.00"),
            fact("o2", occurred_at=at, amount="2.00"),
        ),
    )
    await tell(record_alignments, aligned("a1", "s1", version=2, valid_from=at))
    assert await revenue(AS_WAS) == {"north": 100, "n1": 100, "n2": 0, "south": 200, "s1": 200}
    assert await revenue(AS_IS) == {"north": 0, "n1": 0, "n2": 0, "south": 300, "s1": 300}


async def test_a_late_alignment_changes_its_stretch_and_todays_holder(planned, tell, revenue):
    """Version 2 of the account comes after version 3: it fills only the days before version 3 begins."""
    days = [A_DAY + timedelta(days=n) for n in range(4)]
    await tell(apply_facts, recorded(*(fact(f"o{n}", occurred_at=day) for n, day in enumerate(days))))
    await tell(record_alignments, aligned("a1", "s1", version=3, valid_from=days[3]))
    assert (await revenue(AS_WAS))["n1"] == 30000
    await tell(record_alignments, aligned("a1", "n2", version=2, valid_from=days[1]))
    assert await revenue(AS_WAS) == {"north": 30000, "n1": 10000, "n2": 20000, "south": 10000, "s1": 10000}
    assert (await revenue(AS_IS))["s1"] == 40000


async def test_a_higher_version_with_an_earlier_start_overrides_what_was_planned_after_it(
    planned, tell, revenue
):
    await tell(apply_facts, recorded(fact()))
    await tell(record_alignments, aligned("a1", "n2", version=2, valid_from=A_DAY - timedelta(days=1)))
    await tell(record_alignments, aligned("a1", "s1", version=3, valid_from=A_DAY - timedelta(days=2)))
    assert (await revenue(AS_WAS))["s1"] == 10000
    assert (await revenue(AS_IS))["s1"] == 10000


async def test_an_account_that_falls_into_a_gap_is_unassigned_from_then_on(planned, tell, cells, revenue):
    await tell(apply_facts, recorded(fact()))
    await tell(record_alignments, aligned("a1", None, version=2, valid_from=A_DAY + timedelta(days=1)))
    assert (await revenue(AS_WAS))["n1"] == 10000
    assert (await cells())[AS_IS, UNASSIGNED, A_DAY.date(), "USD"]["revenue_minor"] == 10000


async def test_a_territory_under_another_parent_takes_its_past_along_as_it_is_only(planned, tell, revenue):
    """The tree changes at noon: what happened that morning keeps the old parent as it was."""
    noon = A_DAY
    await tell(
        apply_facts,
        recorded(
            fact("early", occurred_at=noon - timedelta(days=3), amount="1.00"),
            fact("morning", occurred_at=noon - timedelta(hours=1), amount="10.00"),
            fact("afternoon", occurred_at=noon + timedelta(hours=1), amount="100.00"),
            fact("late", occurred_at=noon + timedelta(days=3), amount="1000.00"),
        ),
    )
    other = tree({"north": None, "n1": "south", "n2": "north", "south": None, "s1": "south"})
    await tell(record_trees, other)
    await tell(record_activations, activated(other, sequence=2, effective_at=noon))
    assert await revenue(AS_WAS) == {"north": 1100, "n1": 111100, "n2": 0, "south": 110000, "s1": 0}
    assert await revenue(AS_IS) == {"north": 0, "n1": 111100, "n2": 0, "south": 111100, "s1": 0}


async def test_a_tree_that_comes_after_its_activation_mends_the_figures(tell, revenue):
    await tell(record_alignments, aligned("a1", "n1", version=1))
    await tell(apply_facts, recorded(fact()))
    await tell(record_activations, activated(TREE, sequence=1))
    assert await revenue(AS_WAS) == {"north": 0, "n1": 10000, "n2": 0, "south": 0, "s1": 0}
    await tell(record_trees, TREE, TREE)
    assert await revenue(AS_WAS) == {"north": 10000, "n1": 10000, "n2": 0, "south": 0, "s1": 0}
    assert await revenue(AS_IS) == await revenue(AS_WAS)


async def test_a_rollback_restores_the_figures_as_they_are(planned, tell, revenue):
    await tell(apply_facts, recorded(fact(), fact("o2", account_external_id="a2")))
    before = await revenue(AS_IS)
    other = tree({"all": None, "n1": "all", "s1": "all"})
    await tell(record_trees, other)
    later = A_DAY + timedelta(days=30)
    await tell(record_activations, activated(other, sequence=2, effective_at=later))
    await tell(record_alignments, aligned("a1", "s1", version=2, valid_from=later))
    assert await revenue(AS_IS) != before
    await tell(record_activations, activated(TREE, sequence=3, effective_at=later + timedelta(hours=1)))
    await tell(record_alignments, aligned("a1", "n1", version=3, valid_from=later + timedelta(hours=1)))
    assert await revenue(AS_IS) == before
    assert await revenue(AS_WAS) == before


async def test_facts_of_any_year_find_a_partition(planned, tell, cells):
    years = (1990, 2019, 2020, 2032, 2033, 2199)
    moments = [datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) for year in years]
    await tell(apply_facts, recorded(*(fact(f"o{m.year}", created_at=m, occurred_at=m) for m in moments)))
    assert {key[2].year for key in await cells()} == set(years)


async def test_a_recount_finds_a_corrupted_cell(planned, tell, engine, transact):
    await tell(apply_facts, recorded(fact()))
    cell = {"view": AS_WAS, "territory": territory("north")}
    corrupt = text(
        "UPDATE rollup_days SET revenue_minor = revenue_minor + :by WHERE view = :view AND territory_id = :territory"
    )
    async with engine.begin() as connection:
        await connection.execute(corrupt, {**cell, "by": 1})
    made = await transact(reconcile, Reconcile())
    assert (made.differing, made.cells, made.facts) == (1, 6, 1)
    (difference,) = made.differences
    assert difference["territory_id"] == str(territory("north"))
    assert difference["stored"]["revenue_minor"] - difference["expected"]["revenue_minor"] == 1
    async with engine.begin() as connection:
        await connection.execute(corrupt, {**cell, "by": -1})
