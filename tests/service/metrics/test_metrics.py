"""Metrics over HTTP: golden values, three groupings, equal totals, ratios as sums over sums, reasons, scope."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.coverages.commands import end_coverages, start_coverages
from services.metrics.facts.commands.apply_facts import apply_facts
from shared.contracts.assignment import CoverageEnded, CoverageStarted
from shared.contracts.identity import ORGANISATION
from tests.service.metrics.telling import (
    A_DAY,
    YEAR,
    activated,
    fact,
    received,
    recorded,
    territory,
    trace_all,
    tree,
)

ANN, BOB = uuid4(), uuid4()


def opportunity(name, stage, account, **told):
    """Return an opportunity of 10 USD."""
    usual = {"kind": "opportunity", "stage": stage, "amount": "10.00", "currency": "USD"}
    return fact(name, **{**usual, "account_external_id": account, **told})


@pytest.fixture
async def selling(counted, transact):
    """Win rates of 1/2 in n1 and 9/10 in s1; 240 USD spent in February, 60 of it paid; leads and refunds."""
    facts = [opportunity(f"n{n}", stage, "a1") for n, stage in enumerate(["won", "lost", "open"])]
    facts += [opportunity(f"s{n}", "won" if n else "lost", "a2") for n in range(10)]
    in_february = A_DAY - timedelta(days=20)
    for name, amount, paid in (("fair", "180.00", None), ("ads", "60.00", True)):
        facts.append(
            fact(
                name, kind="spend", account_external_id="a1", amount=amount, currency="USD", paid=paid,
                occurred_at=in_february,
            )
        )  # fmt: skip
    for n, (account, days) in enumerate([("a1", 31), ("a1", 6), ("a2", 60)]):
        facts.append(
            fact(
                f"l{n}", kind="lead", account_external_id=account, occurred_at=A_DAY - timedelta(days=days),
                paid=account == "a1",
            )
        )  # fmt: skip
    facts.append(fact("r1", kind="refund", amount="30.00", currency="USD", account_external_id="a1"))
    facts.append(fact("d1", kind="deal", amount="500.00", currency="USD", account_external_id="a1"))
    await transact(apply_facts, [recorded(*facts)])
    await trace_all(transact)


@pytest.fixture
def ask(api, organisation):
    """Ask for metrics of the year in as_was unless told otherwise."""

    async def ask(*metric_ids, headers=organisation, status=200, **params):
        params = {"view": "as_was", **YEAR, "metric_id": list(metric_ids), **params}
        answer = await api.get("/v1/metrics", params=params, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def shown(values):
    """Return value, numerator and denominator, or the reason, by metric and currency."""
    return {
        (v["metric_id"], v["currency"]): v["reason"] or (v["value"], v["numerator"], v["denominator"])
        for v in values
    }


async def test_golden_totals(selling, ask):
    """Source: domain reference, section 3: 110.05 gross - 30 refunded; 240 / 3 customers; 10 won of 12 decided."""
    answer = await ask(
        "revenue", "net-revenue", "bookings", "win-rate", "win-rate-by-value", "cac", "paid-cac", "pipeline",
    )  # fmt: skip
    assert shown(answer["totals"]) == {
        ("revenue", "USD"): ("110.05", None, None),
        ("revenue", "JPY"): ("1", None, None),
        ("net-revenue", "USD"): ("80.05", None, None),
        ("net-revenue", "JPY"): ("1", None, None),
        ("bookings", "USD"): ("500.00", None, None),
        ("win-rate", None): ("0.833333", "10", "12"),
        ("win-rate-by-value", "USD"): ("0.833333", "100.00", "120.00"),
        ("cac", "USD"): ("80.00", "240.00", "3"),
        ("paid-cac", "USD"): ("60.00", "60.00", "1"),
        ("pipeline", "USD"): ("10.00", None, None),
    }
    assert answer["rows"] == [
        {"territory_id": None, "rep_id": None, "period": None, "values": answer["totals"]}
    ]


async def test_ratios_of_territories_are_sums_over_sums(selling, ask):
    answer = await ask("win-rate", view="as_is", group_by="territory")
    rates = {row["territory_id"]: shown(row["values"])["win-rate", None] for row in answer["rows"]}
    assert rates[str(territory("n1"))] == ("0.500000", "1", "2")
    assert rates[str(territory("s1"))] == ("0.900000", "9", "10")
    assert shown(answer["totals"])["win-rate", None] == ("0.833333", "10", "12")
    nothing = await ask("win-rate", territory_id=str(territory("s1")), **{"from": "2026-05-01"})
    assert shown(nothing["totals"]) == {("win-rate", None): "no-decided-opportunities"}
    assert nothing["totals"][0]["value"] is None
    assert (nothing["totals"][0]["numerator"], nothing["totals"][0]["denominator"]) == ("0", "0")


async def test_both_views_have_the_same_totals(selling, ask):
    names = ("revenue", "net-revenue", "orders", "leads", "won", "lost", "cac", "conversion", "new-customers")
    was, now = [await ask(*names, view=view, group_by="territory") for view in ("as_was", "as_is")]
    assert was["totals"] == now["totals"]
    assert was["rows"] != now["rows"]


async def test_the_spend_of_cac_lies_before_its_customers(selling, ask):
    march = {"from": "2026-03-01", "to": "2026-04-01"}
    assert shown((await ask("cac", **march))["totals"])["cac", "USD"] == ("0.00", "0.00", "3")
    lagged = await ask("cac", lag_days=28, **march)
    assert shown(lagged["totals"])["cac", "USD"] == ("80.00", "240.00", "3")
    by_month = await ask("cac", lag_days=28, grain="month", **{"from": "2026-02-01", "to": "2026-05-01"})
    assert [(row["period"], shown(row["values"])["cac", "USD"]) for row in by_month["rows"]] == [
        ("2026-02-01", "no-new-customers"),
        ("2026-03-01", ("80.00", "240.00", "3")),
        ("2026-04-01", "no-new-customers"),
    ]


@pytest.mark.parametrize(("window_days", "converted"), [(7, "1"), (30, "1"), (90, "2")])
async def test_conversion_within_a_window(selling, ask, window_days, converted):
    """The leads of 6 and of 60 days before the sale; that of 31 days was not the nearest one."""
    answer = await ask("conversion", window_days=window_days)
    (value,) = answer["totals"]
    assert (value["numerator"], value["denominator"], value["immature"]) == (converted, "3", 0)


async def test_a_lead_whose_window_is_open_is_told_apart(transact, ask):
    """A lead of seven days ago may convert until the hour at which it came; one of eight days ago is through."""
    today = datetime.now(UTC).date()
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    leads = [
        fact(f"l{days}", kind="lead", occurred_at=midnight - timedelta(days=days) + timedelta(hours=23))
        for days in (1, 7, 8)
    ]
    await transact(apply_facts, [recorded(*leads)])
    period = {"from": str(today - timedelta(days=9)), "to": str(today + timedelta(days=1))}
    (value,) = (await ask("conversion", window_days=7, **period))["totals"]
    assert (value["value"], value["denominator"], value["immature"]) == ("0.000000", "3", 2)


async def test_by_rep_through_the_history_of_coverage(selling, transact, ask):
    """Ann covers n1 until the day of the sales is over, Bob from then on; nobody covers the rest."""
    handed_over = datetime(2026, 3, 3, tzinfo=UTC)
    first, second = uuid4(), uuid4()
    n1 = territory("n1")
    # The end is read before the beginning: events of a coverage may come in any order.
    ended = CoverageEnded(coverage_id=first, territory_id=n1, rep_id=ANN, valid_to=handed_over)
    await transact(end_coverages, [received(ended)])
    started = [
        CoverageStarted(
            coverage_id=coverage, territory_id=n1, rep_id=rep, role="primary", share_percent=Decimal(100),
            valid_from=moment,
        )
        for coverage, rep, moment in ((first, ANN, A_DAY - timedelta(days=400)), (second, BOB, handed_over))
    ]  # fmt: skip
    await transact(start_coverages, [received(event) for event in started])
    answer = await ask("revenue", "won", group_by="rep")
    rows = {row["rep_id"]: shown(row["values"]) for row in answer["rows"]}
    assert rows[str(ANN)]["revenue", "USD"][0] == "100.00"
    assert rows[None]["revenue", "USD"][0] == "10.05"
    assert sum(int(row["won", None][0]) for row in rows.values()) == 10
    assert shown(answer["totals"]) == shown((await ask("revenue", "won"))["totals"])
    mine = await ask("revenue", rep_id=str(BOB))
    assert shown(mine["totals"]) == {("revenue", None): "no-amounts"}


@pytest.mark.parametrize("include", ["self", "children", "subtree"])
@pytest.mark.parametrize("view", ["as_was", "as_is"])
async def test_by_rep_adds_up_whichever_parent_a_territory_had(
    counted, transact, ask, view, include, northerner
):
    """n1 moves from the north to the south at noon; what it sold before and after noon adds up on both sides."""
    moved = tree({"north": None, "n2": "north", "south": None, "s1": "south", "n1": "south"})
    await transact(record_trees, [moved])
    noon = A_DAY + timedelta(days=7)
    await transact(record_activations, [activated(moved, sequence=2, effective_at=noon)])
    sold = [(-3, "1.00"), (-1 / 24, "20.00"), (1 / 24, "300.00"), (3, "4000.00")]
    facts = [
        fact(f"m{days}", amount=amount, occurred_at=noon + timedelta(days=days)) for days, amount in sold
    ]
    await transact(apply_facts, [recorded(*facts)])
    n1 = territory("n1")
    started = CoverageStarted(
        coverage_id=uuid4(), territory_id=n1, rep_id=ANN, role="primary", share_percent=Decimal(100),
        valid_from=A_DAY - timedelta(days=400),
    )  # fmt: skip
    await transact(start_coverages, [received(started)])
    expected = {
        "as_was": {"north": "121.00", "south": "4300.00"},
        "as_is": {"north": "0.00", "south": "4421.00"},
    }[view]
    for name in ("north", "south"):
        asked = {"view": view, "territory_id": str(territory(name)), "include": include}
        by_rep = await ask("revenue", group_by="rep", **asked)
        mine = {row["rep_id"]: shown(row["values"]) for row in by_rep["rows"]}.get(str(ANN), {})
        if include == "self":
            assert mine == {}
            continue
        whole = await ask("revenue", **{**asked, "include": "subtree"})
        assert shown(by_rep["totals"]) == shown(whole["totals"])
        assert mine.get(("revenue", "USD"), ("0.00",))[0] == expected[name]
    if view == "as_was":
        seen = await ask("revenue", view=view, group_by="rep", headers=northerner)
        assert shown(seen["totals"]) == shown((await ask("revenue", view=view, headers=northerner))["totals"])


async def test_of_two_ends_of_a_coverage_in_one_batch_the_one_told_last_counts(selling, transact, ask):
    """Whoever shortens a coverage tells its end again; a backlog has both in one batch."""
    coverage, n1 = uuid4(), territory("n1")
    started = CoverageStarted(
        coverage_id=coverage, territory_id=n1, rep_id=ANN, role="primary", share_percent=Decimal(100),
        valid_from=A_DAY - timedelta(days=400),
    )  # fmt: skip
    ends = [
        CoverageEnded(
            coverage_id=coverage, territory_id=n1, rep_id=ANN, valid_to=A_DAY + timedelta(days=days)
        )
        for days in (300, -5)
    ]
    await transact(start_coverages, [received(started)])
    await transact(end_coverages, [received(event, version=n) for n, event in enumerate(ends, start=2)])
    mine = await ask("revenue", rep_id=str(ANN))
    assert shown(mine["totals"]) == {("revenue", None): "no-amounts"}


async def test_amounts_that_cancel_out_over_the_period_are_in_its_rows(counted, transact, ask):
    """A month must not depend on which other months were asked for with it."""
    facts = [
        fact(f"b{month}", amount=amount, currency="BHD", occurred_at=datetime(2026, month, 5, tzinfo=UTC))
        for month, amount in ((10, "100.000"), (11, "-100.000"))
    ]
    await transact(apply_facts, [recorded(*facts)])
    answer = await ask("revenue", grain="month", **{"from": "2026-10-01", "to": "2026-12-01"})
    assert [shown(row["values"]) for row in answer["rows"]] == [
        {("revenue", "BHD"): ("100.000", None, None)},
        {("revenue", "BHD"): ("-100.000", None, None)},
    ]
    assert shown(answer["totals"]) == {("revenue", "BHD"): ("0.000", None, None)}


async def test_periods_without_facts_are_rows(selling, ask):
    answer = await ask("orders", grain="quarter")
    assert [(row["period"], row["values"][0]["value"]) for row in answer["rows"]] == [
        ("2026-01-01", "3"), ("2026-04-01", "1"), ("2026-07-01", "0"), ("2026-10-01", "0"),
    ]  # fmt: skip


async def test_a_scope_sees_its_own(selling, ask, northerner):
    answer = await ask("revenue", headers=northerner)
    assert shown(answer["totals"])["revenue", "USD"][0] == "110.00"
    for hidden in ("south", "s1"):
        await ask("revenue", headers=northerner, status=404, territory_id=str(territory(hidden)))
    await ask("revenue", headers=northerner, status=404, territory_id=str(ORGANISATION))


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"metric_id": ["profit"]}, "unknown-metric", "metric_id"),
        ({"to": "2026-01-01"}, "empty-period", "to"),
        ({"from": "0001-01-01"}, "period-out-of-range", "from"),
        ({"from": "1990-01-01", "to": "2200-01-01", "grain": "day"}, "too-many-rows", "from"),
    ],
)
async def test_what_cannot_be_answered_names_the_field(api, organisation, params, code, field):
    asked = {"view": "as_is", **YEAR, "metric_id": ["revenue"], **params}
    answer = await api.get("/v1/metrics", params=asked, headers=organisation)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"].startswith(field)


async def test_definitions_say_what_is_answered(api, organisation, ask):
    definitions = (await api.get("/v1/metric-definitions", headers=organisation)).json()["items"]
    for start in range(0, len(definitions), 20):
        some = definitions[start : start + 20]
        answer = await ask(*[one["metric_id"] for one in some])
        assert {(v["metric_id"], v["version"]) for v in answer["totals"]} == {
            (one["metric_id"], one["version"]) for one in some
        }
    one = await api.get("/v1/metric-definitions/cac", headers=organisation)
    assert one.json()["when_empty"] == "no-new-customers"
    assert (await api.get("/v1/metric-definitions/profit", headers=organisation)).status_code == 404
