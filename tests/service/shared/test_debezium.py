"""Debezium's router makes of an outbox row the record that our relay makes of it.

`change_event.json` is a change event as Debezium's Postgres connector emits it (JSON with schemas), of a row that is put
into a real outbox here and read back as the relay reads it.
"""

import json
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.messaging.outgoing import to_record
from shared.messaging.relay import FETCH
from tests.service.shared.debezium.router import UnexpectedUpdate, send

CONNECTORS = Path(__file__).parents[3] / "deploy/debezium"
SERVICES = ("assignment", "collab", "metrics")
CHANGE = json.loads((Path(__file__).parent / "debezium/change_event.json").read_text())
TRACE = {"ce_correlationid", "ce_traceparent"}
_INSERT = """
INSERT INTO outbox (seq, id, aggregatetype, aggregateid, type, payload, source, dataschema, headers, aggregateversion,
                    created_at)
OVERRIDING SYSTEM VALUE
SELECT * FROM json_to_record($1) AS row (seq bigint, id uuid, aggregatetype text, aggregateid text, type text,
    payload jsonb, source text, dataschema text, headers jsonb, aggregateversion bigint, created_at timestamptz)
"""


def config(service: str = "assignment") -> dict[str, str]:
    found: dict[str, str] = json.loads((CONNECTORS / f"{service}-outbox.json").read_text())["config"]
    return found


def change(**after: Any) -> dict[str, Any]:
    changed = deepcopy(CHANGE)
    changed["payload"]["after"] |= after
    return changed


@pytest.fixture
async def raw(database):
    connection = await asyncpg.connect(database.app_url, server_settings={"search_path": "assignment"})
    yield connection
    await connection.close()


async def relayed(raw, event: dict[str, Any]):
    """Store the row of a change event as the connector saw it, and return the relay's record of it."""
    row = dict(event["payload"]["after"])
    for column in ("payload", "headers"):
        row[column] = None if row[column] is None else json.loads(row[column])
    await raw.execute(_INSERT, json.dumps(row))
    [found] = await raw.fetch(FETCH, list(range(16)), [], 500)
    return to_record(found)


async def test_the_recorded_event_tells_every_column_that_is_published(raw):
    """A stored generated column is not published; a new plain one has to be told of in the recording."""
    columns = await raw.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'outbox' "
        "AND table_schema = 'assignment' AND is_generated = 'NEVER'"
    )
    [after] = [field for field in CHANGE["schema"]["fields"] if field["field"] == "after"]
    told = {field["field"] for field in after["fields"]}
    assert told == {row["column_name"] for row in columns} == set(CHANGE["payload"]["after"])


@pytest.mark.parametrize("event", [change(), change(payload=None)], ids=["an event", "a tombstone"])
async def test_router_and_relay_make_the_same_record_of_a_row(raw, event: dict[str, Any]):
    ours, routed = await relayed(raw, event), send(config(), event)
    assert routed is not None
    assert (routed.topic, routed.key, routed.value) == (ours.topic, ours.key, ours.value)
    told, tells = dict(ours.headers), dict(routed.headers)
    assert len(told) == len(ours.headers)
    assert len(tells) == len(routed.headers)
    assert told.keys() - tells.keys() == TRACE
    assert tells.keys() - told.keys() == {"id"}
    assert tells["id"] == told["ce_id"]
    assert instant(tells.pop("ce_time")) == instant(told.pop("ce_time"))
    assert {name: tells[name] for name in told.keys() - TRACE} == {
        name: told[name] for name in told.keys() - TRACE
    }


def instant(text: bytes | None) -> datetime:
    return datetime.fromisoformat((text or b"").decode())


def test_deletes_send_nothing_and_updates_end_the_task():
    deleted, updated = change(), change()
    deleted["payload"]["op"], updated["payload"]["op"] = "d", "u"
    assert send(config(), deleted) is None
    with pytest.raises(UnexpectedUpdate):
        send(config(), updated)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_connector_for_its_own_outbox(service: str):
    of_assignment = (CONNECTORS / "assignment-outbox.json").read_text()
    assert (CONNECTORS / f"{service}-outbox.json").read_text() == of_assignment.replace("assignment", service)
    assert config(service)["table.include.list"] == f"{service}.outbox"
    published = (CONNECTORS / "publication.sql").read_text()
    assert f"PUBLICATION {config(service)['publication.name']} FOR TABLE {service}.outbox" in published
