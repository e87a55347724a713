"""How fresh the figures are, and who learns what of everybody's facts."""

from datetime import datetime

from sqlalchemy import text


async def test_freshness_tells_what_was_read_and_what_waits(counted, api, organisation, engine):
    insert = text("INSERT INTO consumer_offsets VALUES ('metrics.facts', 'sales.facts.v1', 3, 42)")
    async with engine.begin() as connection:
        await connection.execute(insert)
    body = (await api.get("/v1/freshness", headers=organisation)).json()
    assert body["partitions"] == [
        {"consumer": "metrics.facts", "topic": "sales.facts.v1", "partition": 3, "next_offset": 42}
    ]
    assert (body["parked_keys"], body["unpublished_accounts"], body["conflicting_facts"]) == (0, 3, 0)


async def test_a_scope_learns_as_of_when_and_no_more(counted, api, northerner, issuer):
    """Offsets and counts add up everybody's facts; so a narrow token gets neither, an administrator's included."""
    for headers in (northerner, issuer.headers("admin", territories=[])):
        body = (await api.get("/v1/freshness", headers=headers)).json()
        assert set(body) == {"as_of"}
        assert datetime.fromisoformat(body["as_of"]).utcoffset() is not None
    assert "conflicting_facts" in (await api.get("/v1/freshness", headers=issuer.headers("viewer"))).json()
