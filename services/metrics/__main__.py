"""python -m services.metrics api|worker|relay|consumer|migrate|events: one process, one role."""

import asyncio
import sys

from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.account_states.states import ACCOUNT_FIGURES
from services.metrics.account_states.worker import work as publish
from services.metrics.consumers import CONSUMERS
from services.metrics.goals.worker import follow_goals
from services.metrics.journeys.worker import work as trace
from services.metrics.settings import SERVICE, Settings
from shared.contracts.envelope import event_source
from shared.db.transact import Transactor
from shared.messaging.command_line import run_service
from shared.messaging.run import run_worker
from shared.runtime.clock import SystemClock


def api(settings: Settings) -> None:
    """Answer HTTP."""
    # Half a second of web framework that no other role has a use for.
    from services.metrics.bootstrap import build_app  # noqa: PLC0415
    from shared.http.bootstrap import serve  # noqa: PLC0415

    serve(build_app(settings), settings)


def worker(settings: Settings) -> None:
    """Publish account states, trace journeys, follow goals, and make the fits of customer value asked for."""
    # SciPy, which no other role has a use for.
    from services.metrics.customer_value.worker import make_fits  # noqa: PLC0415

    source = event_source(settings.organisation, SERVICE)

    async def work(engine: AsyncEngine, stopping: asyncio.Event) -> None:
        transact = Transactor(engine, SystemClock(), source)
        async with asyncio.TaskGroup() as group:
            group.create_task(publish(transact, stopping))
            group.create_task(trace(transact, stopping))
            group.create_task(follow_goals(transact, stopping))
            group.create_task(make_fits(transact, stopping))

    run_worker(settings, SERVICE, work)


if __name__ == "__main__":
    run_service(
        sys.argv[1:],
        service=SERVICE,
        read_settings=Settings,
        consumers=CONSUMERS,
        roles={"api": api, "worker": worker},
        states=[ACCOUNT_FIGURES],
    )
