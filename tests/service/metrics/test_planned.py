"""Figures as planned: equal in total to what is, credited where the plan sends accounts, as they are once it is live."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_previews import record_previews
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.facts.commands.apply_facts import apply_facts
from shared.contracts.assignment import PlannedMove, PlanPreviewed
from shared.contracts.identity import UNASSIGNED, account_id_of
from tests.service.metrics.telling import (
    A_DAY,
    YEAR,
    activated,
    aligned,
    fact,
    received,
    recorded,
    territory,
    trace_all,
    tree,
)

# The plan puts a new territory under the south, moves s1 below the north and gives n2 up.
PLANNED = tree({"north": None, "n1": "north", "s1": "north", "south": None, "s2": "south"})
PLAN = uuid4()
METRICS = ("revenue", "orders", "leads", "new-customers", "win-rate", "conversion", "cac", "spend")


def previews(
    *moves: tuple[str, str | None], plan_id: UUID = PLAN, per_part: int = 2, preview_id: UUID | None = None
) -> list[Any]:
    """Return a preview in parts, as the handler receives it."""
    preview_id = preview_id or uuid4()
    parts = [moves[at : at + per_part] for at in range(0, len(moves), per_part)] or [()]
    return [
        received(
            PlanPreviewed(
                plan_id=plan_id,
                preview_id=preview_id,
                plan_version=3,
                tree_id=PLANNED.event.tree_id,
                part=number,
                parts=len(parts),
                territories=PLANNED.event.territories if number == 1 else (),
                moves=tuple(
                    PlannedMove(account_id=account_id_of(name), to_territory_id=to and territory(to))
                    for name, to in part
                ),
                previewed_at=A_DAY,
            ),
            version=number,
        )
        for number, part in enumerate(parts, start=1)
    ]


@pytest.fixture
async def selling(counted, transact):
    """Facts of every kind on a1 (in n1) and a2 (in s1), and an order of somebody unaligned."""
    usual = {"amount": "10.00", "currency": "USD"}
    facts = [
        fact("w1", kind="opportunity", stage="won", account_external_id="a1", **usual),
        fact("w2", kind="opportunity", stage="lost", account_external_id="a2", **usual),
        fact("l1", kind="lead", account_external_id="a2", occurred_at=A_DAY - timedelta(days=3)),
        fact("s1", kind="spend", account_external_id="a1", **usual),
        fact("gone", account_external_id="a1", voided=True),
    ]
    await transact(apply_facts, [recorded(*facts)])
    await trace_all(transact)


@pytest.fixture
def ask(api, organisation):
    async def ask(view: str, *, status: int = 200, headers: Any = organisation, **params: Any) -> Any:
        if view == "as_planned":
            params.setdefault("plan_id", PLAN)
        params = {name: value for name, value in params.items() if value is not None}
        query = {"view": view, **YEAR, "metric_id": list(METRICS), **params}
        answer = await api.get("/v1/metrics", params=query, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def revenue(found: Any) -> dict[str, str]:
    """Return USD revenue by territory, none left out."""
    return {
        row["territory_id"]: value["value"]
        for row in found["rows"]
        for value in row["values"]
        if (value["metric_id"], value["currency"]) == ("revenue", "USD") and value["value"] != "0.00"
    }


async def test_accounts_count_where_the_plan_sends_them_and_totals_stay(selling, transact, ask) -> None:
    await transact(record_previews, previews(("a1", "s2"), ("a2", None)))
    found = await ask("as_planned", group_by="territory")
    assert revenue(found) == {
        str(territory("s2")): "100.00",
        str(territory("south")): "100.00",
        str(UNASSIGNED): "10.05",
    }
    assert found["totals"] == (await ask("as_is"))["totals"] == (await ask("as_was"))["totals"]
    assert (found["meta"]["plan_id"], found["meta"]["plan_version"]) == (str(PLAN), 3)
    south = await ask("as_planned", territory_id=territory("south"), group_by="territory")
    assert set(revenue(south)) == {str(territory("south")), str(territory("s2"))}


async def test_what_was_planned_is_what_is_once_the_plan_is_live(selling, transact, ask) -> None:
    """Every metric by territory and month, to the cent: the preview and the realignment agree."""
    await transact(record_previews, previews(("a1", "s2"), ("a2", "n1"), ("stranger", "s1")))
    planned = await ask("as_planned", group_by="territory", grain="month")
    await transact(record_trees, [PLANNED])
    live_from = A_DAY + timedelta(days=60)
    await transact(record_activations, [activated(PLANNED, sequence=2, effective_at=live_from)])
    await transact(
        record_alignments,
        [
            aligned("a1", "s2", version=2, valid_from=live_from),
            aligned("a2", "n1", version=3, valid_from=live_from),
            aligned("stranger", "s1", version=1, valid_from=live_from),
        ],
    )
    now = await ask("as_is", group_by="territory", grain="month")

    def told(found: Any) -> dict[tuple[str, str], Any]:
        """Rows that say something; a territory that never had any has none."""
        rows = {(row["territory_id"], row["period"]): row["values"] for row in found["rows"]}
        return {
            key: values
            for key, values in rows.items()
            if any(value["value"] not in {None, "0", "0.00"} for value in values)
        }

    assert told(planned) == told(now)
    assert planned["totals"] == now["totals"]


async def test_a_preview_counts_when_it_is_whole_and_until_the_next(selling, transact, ask) -> None:
    missing = await ask("as_planned", status=404)
    assert "previews" in missing["detail"]
    first, second = previews(("a1", "s2"), ("a2", "s2"), ("stranger", "s2"))
    await transact(record_previews, [first])
    await ask("as_planned", status=404)
    await transact(record_previews, [second])
    assert revenue(await ask("as_planned", group_by="territory"))[str(territory("s2"))] == "110.05"
    # Another one: what the first moved stays where it is.
    await transact(record_previews, previews(("a2", "s2")))
    assert revenue(await ask("as_planned", group_by="territory"))[str(territory("s2"))] == "10.00"
    await transact(record_previews, previews())
    assert revenue(await ask("as_planned", group_by="territory"))[str(territory("n1"))] == "100.00"


async def test_facts_that_come_later_count_as_planned_too(selling, transact, ask) -> None:
    await transact(record_previews, previews(("a1", "s2")))
    await transact(apply_facts, [recorded(fact("late", amount="7.00"))])
    assert revenue(await ask("as_planned", group_by="territory"))[str(territory("s2"))] == "107.00"


async def test_bad_questions_name_the_field(selling, transact, ask, northerner) -> None:
    await transact(record_previews, previews(("a1", "s2")))
    for view, plan in (("as_is", PLAN), ("as_planned", None)):
        refused = await ask(view, plan_id=plan, status=422)
        assert "plan_id" in str(refused["errors"])
    elsewhere = await ask("as_planned", territory_id=territory("n2"), status=404)
    assert elsewhere["detail"].startswith("territory_id")
    assert (await ask("as_planned", headers=northerner, status=403))["code"] == "outside-scope"
