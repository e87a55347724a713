"""Figures over HTTP: views, periods, what is below, and whose they are."""

from uuid import uuid4

import pytest

from shared.contracts.identity import ORGANISATION, UNASSIGNED
from tests.service.metrics.telling import TREE, YEAR, territory


def revenues(answer):
    """Return revenue by territory and currency."""
    return {(row["territory_id"], row["currency"]): row["revenue"] for row in answer["rows"]}


async def test_figures_of_all_territories_in_both_views(counted, api, organisation):
    north, n1, n2, south, s1 = (str(territory(name)) for name in ("north", "n1", "n2", "south", "s1"))
    answers = {}
    for view in ("as_was", "as_is"):
        answer = await api.get("/v1/figures", params={"view": view, **YEAR}, headers=organisation)
        assert answer.status_code == 200
        answers[view] = answer.json()
    assert revenues(answers["as_was"]) == {
        (north, "USD"): "110.00", (n1, "USD"): "100.00", (n2, "USD"): "10.00",
        (south, "JPY"): "1", (s1, "JPY"): "1", (str(UNASSIGNED), "USD"): "0.05",
    }  # fmt: skip
    assert revenues(answers["as_is"]) == {
        (north, "USD"): "100.00", (n1, "USD"): "100.00", (south, "USD"): "10.00", (s1, "USD"): "10.00",
        (south, "JPY"): "1", (s1, "JPY"): "1", (str(UNASSIGNED), "USD"): "0.05",
    }  # fmt: skip
    assert answers["as_was"]["totals"] == answers["as_is"]["totals"]
    assert [(t["currency"], t["revenue"]) for t in answers["as_is"]["totals"]] == [
        ("JPY", "1"),
        ("USD", "110.05"),
    ]
    assert answers["as_is"]["meta"]["facts"] == 4
    assert answers["as_is"]["meta"]["tree_id"] == str(TREE.event.tree_id)
    parents = {row["territory_id"]: row["parent_id"] for row in answers["as_is"]["rows"]}
    assert (parents[n1], parents[north], parents[str(UNASSIGNED)]) == (north, None, None)


@pytest.mark.parametrize(
    ("include", "names"),
    [("self", {"north"}), ("children", {"north", "n1", "n2"}), ("subtree", {"north", "n1", "n2"})],
)
async def test_figures_of_one_territory_with_what_is_below(counted, api, organisation, include, names):
    params = {"view": "as_was", **YEAR, "territory_id": str(territory("north")), "include": include}
    answer = (await api.get("/v1/figures", params=params, headers=organisation)).json()
    assert {row["territory_id"] for row in answer["rows"]} == {str(territory(name)) for name in names}
    assert [(t["currency"], t["revenue"]) for t in answer["totals"]] == [("USD", "110.00")]


@pytest.mark.parametrize(
    ("grain", "periods"),
    [("total", [None]), ("month", ["2026-03-01", "2026-04-01"]), ("day", ["2026-03-02", "2026-04-01"])],
)
async def test_figures_by_month_and_day(counted, api, organisation, grain, periods):
    params = {"view": "as_is", **YEAR, "territory_id": str(ORGANISATION), "grain": grain}
    answer = (await api.get("/v1/figures", params=params, headers=organisation)).json()
    assert sorted({row["period"] for row in answer["rows"]}, key=str) == periods


async def test_the_period_is_half_open(counted, api, organisation):
    params = {"view": "as_is", "territory_id": str(ORGANISATION)}
    for first, end, facts in (
        ("2026-03-02", "2026-03-03", 3),
        ("2026-03-01", "2026-03-02", 0),
        ("2026-03-03", "2026-04-01", 0),
    ):
        answer = await api.get(
            "/v1/figures", params={**params, "from": first, "to": end}, headers=organisation
        )
        assert answer.json()["meta"]["facts"] == facts
    answer = await api.get(
        "/v1/figures", params={**params, "from": "2026-03-02", "to": "2026-03-02"}, headers=organisation
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "empty-period")


async def test_a_scope_sees_its_territories_and_their_total(counted, api, issuer, northerner):
    answer = (await api.get("/v1/figures", params={"view": "as_is", **YEAR}, headers=northerner)).json()
    assert {row["territory_id"] for row in answer["rows"]} == {str(territory("north")), str(territory("n1"))}
    assert [t["revenue"] for t in answer["totals"]] == ["100.00"]
    nested = issuer.headers("viewer", territories=[territory("n1"), territory("north"), territory("s1")])
    answer = (await api.get("/v1/figures", params={"view": "as_is", **YEAR}, headers=nested)).json()
    assert [(t["currency"], t["revenue"]) for t in answer["totals"]] == [("JPY", "1"), ("USD", "110.00")]
    nothing = issuer.headers("viewer", territories=[])
    answer = (await api.get("/v1/figures", params={"view": "as_is", **YEAR}, headers=nothing)).json()
    assert (answer["rows"], answer["totals"]) == ([], [])


async def test_what_is_outside_the_scope_is_not_found(counted, api, northerner, organisation):
    for hidden in (territory("south"), UNASSIGNED, ORGANISATION, uuid4()):
        params = {"view": "as_is", **YEAR, "territory_id": str(hidden)}
        assert (await api.get("/v1/figures", params=params, headers=northerner)).status_code == 404
        params = {"territory_id": str(hidden)}
        assert (await api.get("/v1/facts", params=params, headers=northerner)).status_code == 404
    params = {"view": "as_is", **YEAR, "territory_id": str(uuid4())}
    assert (await api.get("/v1/figures", params=params, headers=organisation)).status_code == 404
