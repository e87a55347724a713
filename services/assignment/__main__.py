"""python -m services.assignment api|relay|consumer|migrate|dlq: one process, one role."""

import sys
from collections.abc import Callable

from services.assignment.consumers import CONSUMERS
from services.assignment.settings import SERVICE, Settings
from shared.db.migrations import SchemaNotAtHead, upgrade
from shared.messaging.dlq_command import run_dlq_command
from shared.messaging.run import run_consumers, run_relay
from shared.runtime.logging import configure_logging


def api(settings: Settings) -> None:
    """Answer HTTP."""
    # Half a second of web framework that no other role has a use for.
    from services.assignment.bootstrap import build_app  # noqa: PLC0415
    from shared.http.bootstrap import serve  # noqa: PLC0415

    configure_logging(service=SERVICE, role="api", form=settings.log_format, level=settings.log_level)
    serve(build_app(settings), settings)


def relay(settings: Settings) -> None:
    """Send the outbox to Kafka."""
    run_relay(settings, SERVICE)


def consumer(settings: Settings) -> None:
    """Read what metrics publishes."""
    run_consumers(settings, SERVICE, CONSUMERS)


def migrate(settings: Settings) -> None:
    """Bring the schema to this release."""
    if settings.migration_database_url is None:
        sys.exit("ASSIGNMENT_MIGRATION_DATABASE_URL is not set: migrate needs the schema's owner")
    upgrade(service=SERVICE, url=settings.migration_database_url.get_secret_value())


ROLES: dict[str, Callable[[Settings], None]] = {
    "api": api,
    "relay": relay,
    "consumer": consumer,
    "migrate": migrate,
}


def main(arguments: list[str]) -> None:
    """Run the role named on the command line."""
    if arguments[:1] == ["dlq"]:
        sys.exit(run_dlq_command(arguments[1:], settings=Settings(), service=SERVICE, consumers=CONSUMERS))
    role = ROLES.get(arguments[0]) if len(arguments) == 1 else None
    if role is None:
        sys.exit(f"usage: python -m services.assignment {'|'.join(ROLES)}|dlq ...")
    try:
        role(Settings())
    except SchemaNotAtHead as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
