"""`python -m services.<service> events ...`, also `bailiwick --service <service> events ...`: the operators' door."""

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from shared.db.engine import build_engine
from shared.db.migrations import require_head
from shared.db.states import StateTopic
from shared.messaging.operations import restore_verbs, verbs
from shared.messaging.operations.answers import Answers
from shared.messaging.operations.arguments import parser_of
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.diagnosis import FAILURES, diagnose
from shared.messaging.operations.partition_verbs import list_stopped, resume_partition
from shared.messaging.operations.refusals import Refused
from shared.messaging.operations.state_verbs import list_states, republish_states
from shared.messaging.run import CONSUMER_LIMITS
from shared.messaging.subscription import Subscription
from shared.runtime.clock import SystemClock
from shared.runtime.logging import configure_logging
from shared.runtime.settings import ServiceSettings

DONE, REFUSED, LEFT, AWAY = 0, 1, 3, 4

Verb = Callable[[Desk, argparse.Namespace], Awaitable[bool]]
VERBS: Mapping[tuple[str, str | None], Verb] = {
    ("dlq", "list"): verbs.list_dead_letters,
    ("dlq", "show"): verbs.show_dead_letters,
    ("dlq", "replay"): verbs.replay_dead_letters,
    ("dlq", "discard"): verbs.discard_dead_letters,
    ("dlq", "settle"): restore_verbs.settle_keys,
    ("outbox", "list"): verbs.list_outbox_rows,
    ("outbox", "quarantine"): verbs.quarantine_row,
    ("outbox", "release"): verbs.release_row,
    ("partition", "list"): list_stopped,
    ("partition", "resume"): resume_partition,
    ("projection", "list"): verbs.list_all_projections,
    ("projection", "rebuild"): verbs.rebuild_projection,
    ("versions", "compare"): restore_verbs.compare_versions,
    ("versions", "raise"): restore_verbs.raise_versions,
    ("state", "list"): list_states,
    ("state", "republish"): republish_states,
    ("lag", None): verbs.tell_lag,
}


def run_events_command(
    argv: Sequence[str],
    *,
    settings: ServiceSettings,
    service: str,
    consumers: Mapping[str, Sequence[Subscription]],
    states: Sequence[StateTopic] = (),
) -> int:
    """Do what the words after `events` say. Returns the exit status; raises SchemaNotAtHead."""
    # The answer tells what was done; warnings and errors of the libraries underneath stay visible.
    configure_logging(service=service, role="events", form=settings.log_format, level="ERROR")
    return asyncio.run(events(argv, settings=settings, service=service, consumers=consumers, states=states))


async def events(
    argv: Sequence[str],
    *,
    settings: ServiceSettings,
    service: str,
    consumers: Mapping[str, Sequence[Subscription]],
    states: Sequence[StateTopic] = (),
) -> int:
    """Do it inside a running loop."""
    options = parser_of(f"python -m services.{service} events").parse_args(argv)
    async with open_desk(
        options, settings=settings, service=service, consumers=consumers, states=states
    ) as desk:
        try:
            await require_head(desk.engine, service=service)
        except FAILURES as error:
            return _explain(error, desk)
        except ValueError:
            # The driver's own words hold a piece of the address, which may be one of a password.
            desk.answers.refuse(f"{service.upper()}_DATABASE_URL cannot be read as an address of Postgres.")
            return REFUSED
        return await answer(desk, options)


@asynccontextmanager
async def open_desk(
    options: argparse.Namespace,
    *,
    settings: ServiceSettings,
    service: str,
    consumers: Mapping[str, Sequence[Subscription]],
    states: Sequence[StateTopic] = (),
) -> AsyncIterator[Desk]:
    """Give the operator what a command needs for as long as the block lasts."""
    engine = build_engine(
        settings.database_url.get_secret_value(),
        schema=service,
        application_name=f"{service}.events",
        pool_size=2,
        # Consumers' handlers run here, and may take as long as they do there.
        limits=dict(CONSUMER_LIMITS),
        command_timeout=float(CONSUMER_LIMITS["statement_timeout"].removesuffix("s")) * 2,
    )
    try:
        yield Desk(
            service=service,
            settings=settings,
            consumers=consumers,
            engine=engine,
            clock=SystemClock(),
            operator=getattr(options, "operator", None) or _system_user(),
            dry_run=getattr(options, "dry_run", False),
            answers=Answers(sys.stdout, sys.stderr, as_json=options.json),
            states=states,
        )
    finally:
        await engine.dispose()


async def answer(desk: Desk, options: argparse.Namespace) -> int:
    """Do what the options say; return the exit status."""
    try:
        done = await VERBS[options.group, getattr(options, "verb", None)](desk, options)
    except Refused as refusal:
        desk.answers.refuse(str(refusal))
        return REFUSED
    except FAILURES as error:
        return _explain(error, desk)
    return DONE if done else LEFT


def _explain(error: Exception, desk: Desk) -> int:
    found = diagnose(error, desk.settings, service=desk.service)
    desk.answers.refuse(found.told)
    return AWAY if found.away else REFUSED


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user need not have a name.
        return f"uid {os.getuid()}"
