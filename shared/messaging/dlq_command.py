"""`python -m services.<service> dlq list|show|replay|discard`: the operator's door to parked keys."""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.envelope import event_source
from shared.db.engine import build_engine
from shared.messaging.batches import Batches
from shared.messaging.dead_letters import ReplayFailed, discard, list_parked, replay, show_parked
from shared.messaging.parking import ParkedRecord
from shared.messaging.subscription import Subscription
from shared.runtime.clock import SystemClock
from shared.runtime.logging import configure_logging
from shared.runtime.settings import ServiceSettings

_FORGOTTEN = "no consumer of this release reads that topic under that name"


def run_dlq_command(
    argv: Sequence[str],
    *,
    settings: ServiceSettings,
    service: str,
    consumers: Mapping[str, Sequence[Subscription]],
) -> int:
    """Do what the words after `dlq` say; answers are JSON lines. Returns the exit status."""
    configure_logging(service=service, role="dlq", form=settings.log_format, level=settings.log_level)
    return asyncio.run(dlq(argv, settings=settings, service=service, consumers=consumers))


def _parser(service: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m services.{service} dlq")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="every key that waits, and why")
    for verb, meaning in (
        ("show", "the records of a key"),
        ("replay", "apply a key's records in order, once the cause is mended"),
        ("discard", "give up what blocks a key, then replay the rest"),
    ):
        chosen = verbs.add_parser(verb, help=meaning)
        for name in ("consumer", "topic", "key"):
            chosen.add_argument(name)
    return parser


async def dlq(
    argv: Sequence[str],
    *,
    settings: ServiceSettings,
    service: str,
    consumers: Mapping[str, Sequence[Subscription]],
) -> int:
    """Do it inside a running loop."""
    options = _parser(service).parse_args(argv)
    engine = build_engine(
        settings.database_url.get_secret_value(),
        schema=service,
        application_name=f"{service}.dlq",
        pool_size=2,
    )
    try:
        if options.verb == "list":
            return _say(asdict(parked) for parked in await list_parked(engine))
        if options.verb == "show":
            names = {"consumer": options.consumer, "topic": options.topic, "key": options.key}
            return _say(_readable(each) for each in await show_parked(engine, **names))
        batches = _batches(options, engine, event_source(settings.organisation, service), consumers)
        act = replay if options.verb == "replay" else discard
        return _say([{"key": options.key, "records": await act(batches, options.key)}])
    except ReplayFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    finally:
        await engine.dispose()


def _batches(
    options: argparse.Namespace,
    engine: AsyncEngine,
    source: str,
    consumers: Mapping[str, Sequence[Subscription]],
) -> Batches:
    for subscription in consumers.get(options.consumer, ()):
        if subscription.topic == options.topic:
            return Batches(options.consumer, subscription, engine=engine, clock=SystemClock(), source=source)
    raise ReplayFailed(_FORGOTTEN)


def _readable(parked: ParkedRecord) -> dict[str, Any]:
    record = parked.record
    return {
        "partition": record.partition,
        "offset": record.offset,
        "version": parked.version,
        "error": parked.error,
        "parked_at": parked.parked_at,
        "headers": {name: _text(value) for name, value in record.headers},
        "value": _text(record.value),
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")


def _say(lines: Any) -> int:
    for line in lines:
        sys.stdout.write(json.dumps(line, default=str) + "\n")
    return 0
