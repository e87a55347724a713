"""Facts, corrections, contradictions, alignments, activations, trees, coverages and previews in any order.

Repeated, in any batches; only what the bus keeps in order, the events of one territory's coverages and of one plan's
previews, comes in order and once, as the consumer hands it over.
"""

import random
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_previews import record_previews
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.attribution.queries import AskedTerritories
from services.metrics.coverages.commands import end_coverages, start_coverages
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.journeys.commands import trace_journeys
from services.metrics.measurements.asked import MetricsAsked
from services.metrics.measurements.cells import GroupBy, Window
from services.metrics.measurements.queries import find_cells
from services.metrics.rollups.figure import FIGURES
from services.metrics.rollups.view import AskedView
from shared.contracts.identity import ORGANISATION
from shared.db.outbox import Outbox
from shared.db.unit_of_work import UnitOfWork
from shared.testing.frozen_clock import A_MONDAY
from tests.service.metrics.histories import History
from tests.service.metrics.recomputation import (
    AS_IS,
    AS_WAS,
    Rows,
    recompute,
    recompute_by_rep,
    recompute_planned,
)
from tests.service.metrics.telling import read_cells

HISTORIES, SHUFFLES = 20, 10
HANDLERS: dict[str, Any] = {
    "facts": apply_facts,
    "alignments": record_alignments,
    "activations": record_activations,
    "trees": record_trees,
    "starts": start_coverages,
    "ends": end_coverages,
    "previews": record_previews,
}


async def _read(
    connection: AsyncConnection, view: AskedView, group_by: GroupBy, tree_id: UUID | None = None, **plan: Any
) -> Rows:
    """Return every row, day by day, that the metrics are answered from."""
    asked = MetricsAsked(
        metric_ids=(),
        view=view,
        first_day=date(2025, 12, 1),
        end_day=date(2026, 6, 1),
        territory_id=None,
        include="self",
        rep_id=None,
        group_by=group_by,
        grain="day",
        lag_days=0,
        window=Window.MONTH,
        **plan,
    )
    everywhere = AskedTerritories(rows=None, tops=[ORGANISATION])
    found = await find_cells(connection, asked, FIGURES, everywhere, tree_id, group_by=group_by, grain="day")
    rows = {
        (key, day, currency): {name: n for name, n in figures.items() if n}
        for (key, day), by_currency in found.items()
        for currency, figures in by_currency.items()
        if day is not None
    }
    return {key: figures for key, figures in rows.items() if figures}


@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_any_order_ends_in_the_figures_of_the_set(engine: AsyncEngine, seed: int):
    """The proof behind "order does not matter": shuffled, repeated, cut anywhere, against a recomputation."""
    history = History(random.Random(seed))
    inputs, previews = history.inputs(), history.latest_previews()
    cells = recompute(inputs)
    by_rep = {"as_was": recompute_by_rep(inputs, AS_WAS), "as_is": recompute_by_rep(inputs, AS_IS)}
    planned = {
        (plan_id, group_by): recompute_planned(inputs, parts, by_rep=group_by == "rep")
        for plan_id, parts in previews.items()
        for group_by in ("territory", "rep")
    }
    for _ in range(SHUFFLES):
        # Undone instead of committed: the statements see their own transaction, and the next order starts
        # from nothing.
        async with engine.connect() as connection:
            uow = UnitOfWork(connection, A_MONDAY, "test", Outbox(source="/test"))
            for name, batch in history.told():
                await HANDLERS[name](batch, uow)
                if history.rng.random() < 0.3:
                    await trace_journeys(3, uow)
            while await trace_journeys(10, uow):
                pass
            assert await read_cells(connection) == cells
            for view, rows in by_rep.items():
                assert await _read(connection, view, "rep") == rows
            for (plan_id, group_by), rows in planned.items():
                tree_id = previews[plan_id][0].tree_id
                found = await _read(connection, "as_planned", group_by, tree_id, plan_id=plan_id)
                assert found == rows
