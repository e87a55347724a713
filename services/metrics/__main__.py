"""python -m services.metrics api|relay|consumer|worker|migrate|dlq: one process, one role."""

import sys
from collections.abc import Callable

from services.metrics.account_state.worker import work
from services.metrics.consumers import CONSUMERS
from services.metrics.settings import SERVICE, Settings
from shared.contracts.envelope import event_source
from shared.db.migrations import SchemaNotAtHead, upgrade
from shared.db.transact import Transactor
from shared.messaging.dlq_command import run_dlq_command
from shared.messaging.run import run_consumers, run_relay, run_worker
from shared.runtime.clock import SystemClock
from shared.runtime.logging import configure_logging


def api(settings: Settings) -> None:
    """Answer HTTP."""
    # Half a second of web framework that no other role has a use for.
    from services.metrics.bootstrap import build_app  # noqa: PLC0415
    from shared.http.bootstrap import serve  # noqa: PLC0415

    configure_logging(service=SERVICE, role="api", form=settings.log_format, level=settings.log_level)
    serve(build_app(settings), settings)


def relay(settings: Settings) -> None:
    """Send the outbox to Kafka."""
    run_relay(settings, SERVICE)


def consumer(settings: Settings) -> None:
    """Read facts, and what assignment publishes."""
    run_consumers(settings, SERVICE, CONSUMERS)


def worker(settings: Settings) -> None:
    """Publish the state of accounts whose figures changed."""
    source = event_source(settings.organisation, SERVICE)
    run_worker(
        settings,
        SERVICE,
        lambda engine, stopping: work(Transactor(engine, SystemClock(), source), stopping),
    )


def migrate(settings: Settings) -> None:
    """Bring the schema to this release."""
    if settings.migration_database_url is None:
        sys.exit("METRICS_MIGRATION_DATABASE_URL is not set: migrate needs the schema's owner")
    upgrade(service=SERVICE, url=settings.migration_database_url.get_secret_value())


ROLES: dict[str, Callable[[Settings], None]] = {
    "api": api,
    "relay": relay,
    "consumer": consumer,
    "worker": worker,
    "migrate": migrate,
}


def main(arguments: list[str]) -> None:
    """Run the role named on the command line."""
    if arguments[:1] == ["dlq"]:
        sys.exit(run_dlq_command(arguments[1:], settings=Settings(), service=SERVICE, consumers=CONSUMERS))
    role = ROLES.get(arguments[0]) if len(arguments) == 1 else None
    if role is None:
        sys.exit(f"usage: python -m services.metrics {'|'.join(ROLES)}|dlq ...")
    try:
        role(Settings())
    except SchemaNotAtHead as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
