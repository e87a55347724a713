"""What every service's `__main__` does with its command line: one process, one role."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from pydantic import ValidationError

from shared.db.migrations import SchemaNotAtHead, upgrade
from shared.db.states import StateTopic
from shared.messaging.run import Consumers, run_consumers, run_relay
from shared.runtime.settings import ServiceSettings, explain

S = TypeVar("S", bound=ServiceSettings)
Roles = Mapping[str, Callable[[S], None]]


def run_service(
    arguments: Sequence[str],
    *,
    service: str,
    read_settings: Callable[[], S],
    consumers: Consumers,
    roles: Roles[S],
    states: Sequence[StateTopic] = (),
) -> None:
    """Run the role named on the command line: one of the service's own `roles`, or one that all services have.

    Exits with a sentence on unknown roles, wrong settings and a schema that is not at head.
    """
    every: Roles[S] = {
        **roles,
        "relay": lambda settings: run_relay(settings, service),
        "consumer": lambda settings: run_consumers(settings, service, consumers),
        "migrate": lambda settings: _migrate(settings, service),
    }
    operates = arguments[:1] == ["events"]
    if not operates and (len(arguments) != 1 or arguments[0] not in every):
        sys.exit(f"usage: python -m services.{service} {'|'.join(every)}|events ...")
    try:
        settings = read_settings()
        if operates:
            # Tables and progress for people, which no other role has a use for.
            from shared.messaging.operations.command import run_events_command  # noqa: PLC0415

            sys.exit(
                run_events_command(
                    arguments[1:], settings=settings, service=service, consumers=consumers, states=states
                )
            )
        every[arguments[0]](settings)
    except ValidationError as error:
        sys.exit(explain(error, service=service))
    except SchemaNotAtHead as error:
        sys.exit(str(error))


def _migrate(settings: ServiceSettings, service: str) -> None:
    if settings.migration_database_url is None:
        sys.exit(f"{service.upper()}_MIGRATION_DATABASE_URL is not set: migrate needs the schema's owner")
    upgrade(service=service, url=settings.migration_database_url.get_secret_value())
